"""What the page About shows: equations, parameters and what the model was checked against, all from their sources."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

DOCS = Path(__file__).parents[2] / "docs"
"""Beside the dashboards in a checkout, and inside the package in a wheel."""


@dataclass(frozen=True)
class Checked:
    """A table of a validation page, as it was published, and a sentence on what it is."""

    title: str
    said: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def met(self) -> tuple[int, int]:
        """How many checks were met, and how many were judged."""
        at = self.columns.index("met")
        told = [row[at].strip("*").lower() for row in self.rows if row[at]]
        return told.count("yes"), len(told)

    @property
    def missed(self) -> tuple[str, ...]:
        """What was not met."""
        at, what = self.columns.index("met"), self.columns.index("what")
        return tuple(row[what] for row in self.rows if row[at].strip("*").lower() == "no")


def how_sure() -> tuple[str, str]:
    """The answer of the documentation in short, and how to speak of a result; empty where it did not come along."""
    text = page("how_sure.md")
    return text.partition("\n")[2].partition("\n## ")[0].strip(), section(text, "How to say it")


@cache
def validation() -> tuple[Checked, ...]:
    """Tables of the two validation pages of the documentation; without those that are not there."""
    found = []
    for file, title in (
        ("published_results.md", "Published and closed-form results"),
        ("validation.md", "The default world beside data of small businesses"),
    ):
        text = page(file)
        for columns, rows in tables(text):
            if "met" in columns and "what" in columns:
                found.append(Checked(title, measured(text), columns, rows))
                break
    return tuple(found)


def page(name: str) -> str:
    """Text of a page of the documentation; empty where it did not come along."""
    path = DOCS / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def measured(text: str) -> str:
    """When a page's figures were measured, in its own words."""
    found = re.search(r"Measured on (\d{4}-\d\d-\d\d)", text)
    return f"Measured on {found[1]}." if found else ""


def tables(text: str) -> list[tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]]:
    """Every table of a Markdown page: names of columns, and rows of cells without their marks."""
    found, lines = [], text.splitlines()
    for at, line in enumerate(lines):
        if re.fullmatch(r"\|[-:| ]+\|", line.strip()) and at:
            rows = []
            for row in lines[at + 1 :]:
                if not row.startswith("|"):
                    break
                rows.append(_cells(row))
            found.append((_cells(lines[at - 1]), tuple(rows)))
    return found


def _cells(line: str) -> tuple[str, ...]:
    return tuple(re.sub(r"[`*]|\\(?=\W)", "", cell).strip() for cell in line.strip().strip("|").split(" | "))


def section(text: str, title: str) -> str:
    """Section of a Markdown page below a heading of second order, without the heading."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


@cache
def parameters() -> pd.DataFrame:
    """Every parameter of every mechanism, read from the code."""
    from ecosim.parameters import parameters as read

    return read()


@cache
def policy_parameters() -> pd.DataFrame:
    """Parameters of policies in the same columns, read from the code."""
    import pandas as pd

    from ecosim.parameters import policies
    from ecosim.policies.policy import SHARED

    rows = []
    for part in policies():
        for name, field in part.model_fields.items():
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            if name in SHARED:
                continue
            default = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
            rows.append(
                (
                    str(part.model_fields["kind"].default),
                    name,
                    " ".join((field.description or "").split()),
                    str(extra.get("unit", "")),
                    default,
                    extra.get("low"),
                    extra.get("high"),
                    str(extra.get("source", "")),
                )
            )
    return pd.DataFrame(
        rows, columns=["mechanism", "parameter", "meaning", "unit", "default", "low", "high", "source"]
    ).astype({"low": float, "high": float})
