"""An atlas to look at: its verdicts as a map, and the curve behind each cell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from ecosim.errors import InputError
from ecosim.resilience.atlas_spec import AtlasSpec, atlases, load

from ..words import figure

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ecosim.config import Scenario

SHIPPED = Path(__file__).parents[2] / "docs" / "atlas"
"""Tables of the default atlas: beside the dashboards in a checkout, and inside the package in a wheel."""
#: Label: letter, face, ink (Okabe & Ito 2008, as the printed maps have them), and what it means.
LABELS = {
    "FRAGILE": ("F", "#D55E00", "#000000", "loses more than in proportion as shocks grow, or does not recover"),
    "INCONCLUSIVE": ("?", "#C9C9C9", "#000000", "too few replicates to tell"),
    "RESILIENT": ("Rs", "#A6D8F2", "#000000", "dips, and comes back"),
    "ROBUST": ("Rb", "#0072B2", "#FFFFFF", "hardly moves"),
    "ANTIFRAGILE": ("A", "#F0E442", "#000000", "gains, and more at higher stress"),
}
TABLES = {
    "own": "habits as they are",
    "equal": "every habit at the same cost",
    "rewired": "structures rewired, degrees kept",
}
MEASURES = {"consumption": "what customers got", "production": "everything made"}
NEEDED = {"table", "measure", "habit", "shock", "structure", "label", "gain", "worst", "min_curvature", "n", "needed"}


@dataclass(frozen=True, eq=False)
class View:
    """Tables of an atlas: ``verdicts`` has a row a cell, ``curves`` one for each intensity of it.

    ``spec`` is what it was made from, where that is known; only then can a run of a cell be lived.
    """

    verdicts: pd.DataFrame
    curves: pd.DataFrame
    spec: AtlasSpec | None

    def there(self, column: str) -> list[str]:
        """Names in a column, in the order of the atlas."""
        return [str(name) for name in dict.fromkeys(self.verdicts[column])]

    def title(self, column: str, name: str) -> str:
        """What people call a shock or a habit."""
        known: Any = {} if self.spec is None else {"shock": self.spec.shocks, "habit": self.spec.habits}.get(column, {})
        return (known[name].title if name in known else "") or name.replace("_", " ")

    def habits(self, table: str) -> list[str]:
        """Habits of a table."""
        rows = self.verdicts[self.verdicts["table"] == table]
        return [str(name) for name in dict.fromkeys(rows["habit"])]

    def grid(self, table: str, measure: str, habit: str) -> list[list[dict[str, Any]]]:
        """Cells of a map, a list a structure: what is written in each, and what a screen reader says of it."""
        rows = self._rows(table, measure, habit)
        of = {(row["structure"], row["shock"]): row for row in rows.to_dict("records")}
        shocks = [name for name in self.there("shock") if any(shock == name for _, shock in of)]
        return [
            [self._cell(of[name, shock]) for shock in shocks if (name, shock) in of]
            for name in self.there("structure")
            if any(structure == name for structure, _ in of)
        ]

    def _rows(self, table: str, measure: str, habit: str) -> pd.DataFrame:
        every = self.verdicts
        return every[(every["table"] == table) & (every["measure"] == measure) & (every["habit"] == habit)]

    def _cell(self, row: dict[Hashable, Any]) -> dict[str, Any]:
        letter, face, ink, _ = LABELS[row["label"]]
        flag = "+" if row.get("gains") and row["label"] == "RESILIENT" else ""
        structure, shock = str(row["structure"]), str(row["shock"])
        return {
            "structure": structure,
            "shock": shock,
            "letter": letter + flag,
            "face": face,
            "ink": ink,
            "number": percent(row["gain"]),
            "said": f"{structure.replace('_', ' ')}, {self.title('shock', shock)}: {row['label']}, G ",
        }

    def row(self, table: str, measure: str, habit: str, structure: str, shock: str) -> dict[str, Any]:
        """Everything known of one cell. Raises InputError where there is none."""
        rows = self._rows(table, measure, habit)
        rows = rows[(rows["structure"] == structure) & (rows["shock"] == shock)]
        if rows.empty:
            raise InputError(f"{structure}, {shock}: this atlas has no such cell; choose one on the map")
        return {str(name): value for name, value in rows.iloc[0].items()}

    def curve(self, table: str, measure: str, habit: str, structure: str, shock: str) -> pd.DataFrame:
        """Response of a cell at each intensity, in %: x, and d and e with 95 % intervals (Student)."""
        every, row = self.curves, self.row(table, measure, habit, structure, shock)
        wanted = {"table": table, "measure": measure, "habit": habit, "structure": structure, "shock": shock}
        keep = np.logical_and.reduce([(every[name] == value).to_numpy() for name, value in wanted.items()])
        part = every[keep].sort_values("x")
        reach = float(special.stdtrit(max(int(row["n"]) - 1, 1), 0.975))
        columns = {"x": part["x"].to_numpy()}
        for name in "de":
            mean, half = 100.0 * part[name].to_numpy(), 100.0 * reach * part[f"{name}_se"].to_numpy()
            columns |= {name: mean, f"{name}_low": mean - half, f"{name}_high": mean + half}
        return pd.DataFrame(columns)

    def scenario(self, habit: str, structure: str, shock: str) -> Scenario:
        """One run of a cell, at full strength and with the habit as it is.

        Raises InputError where the atlas does not say what it was made from.
        """
        if self.spec is None or structure not in self.spec.structures or shock not in self.spec.shocks:
            raise InputError(
                "this folder does not say what the atlas was made from; put its YAML file beside atlas.json"
            )
        return self.spec.scenario(structure, habit, shock)


def numbers(row: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What a verdict rests on: name, value with its interval, and what it is."""
    told = [
        (name, f"{percent(row[key])} %", _between(row, key), meaning)
        for name, key, meaning in (
            ("G", "gain", "mean response over all intensities"),
            ("worst d", "worst", "lowest mean response"),
            ("smallest H", "min_curvature", "curvature: below 0, losses grow faster than the shock"),
            ("J", "jensen_gap", "what variability of shocks adds"),
        )
        if key in row
    ]
    found = [(name, f"{value}{' ' + between if between else ''}", meaning) for name, value, between, meaning in told]
    found.append(("n", f"{int(row['n']):,}", "paired replicates"))
    if row["label"] == "INCONCLUSIVE":
        found.append(("more needed", more(row["needed"]), "replicates that would probably settle it"))
    if "ruin" in row:
        found.append(
            ("ruin", f"{percent(row['ruin'])} % {_between(row, 'ruin')}", "replicates that lost more than half")
        )
    return found


def more(needed: Any) -> str:
    """How many more replicates an open study needs, in words."""
    if needed is None or pd.isna(needed):
        return "no number would tell: what was seen lies on a margin"
    return f"about {int(needed):,} more"


def _between(row: dict[str, Any], key: str) -> str:
    if f"{key}_low" not in row:
        return ""
    return f"[{percent(row[f'{key}_low'])}, {percent(row[f'{key}_high'])}]"


def percent(share: float) -> str:
    """A share in per cent, short, with a true minus."""
    return figure(100.0 * share)


@lru_cache(maxsize=8)
def _opened(tables: str, changed: float, spec: str) -> View:
    place = Path(tables)
    verdicts = pd.read_csv(place / "verdicts.csv")
    missing = sorted(NEEDED - set(verdicts.columns))
    unknown = sorted(set(verdicts["label"]) - set(LABELS)) if "label" in verdicts else []
    if missing or unknown:
        raise InputError(f"verdicts.csv: {', '.join(missing or unknown)} {'missing' if missing else 'unknown'}; write "
                         "the tables again with ecosim atlas")  # fmt: skip
    return View(verdicts, pd.read_parquet(place / "curves.parquet"), load(spec, allow_code=False) if spec else None)


def shipped() -> View:
    """Atlas that comes with ecosim. Raises InputError where its tables are not there."""
    return opened(SHIPPED, "default")


def opened(folder: Path, spec: str | None = None) -> View:
    """Atlas of a folder, or of its tables. Raises InputError where they are missing or damaged."""
    place = folder / "tables" if (folder / "tables").is_dir() else folder
    index = place / "verdicts.csv"
    if not index.is_file() or not (place / "curves.parquet").is_file():
        raise InputError(f"{folder.name}: no tables of an atlas yet; they are written when ecosim atlas has ended")
    try:
        return _opened(str(place), index.stat().st_mtime, spec or _made_from(folder))
    except InputError:
        raise
    except Exception as error:  # whatever damaged files make a reader say
        raise InputError(f"{folder.name}: cannot be read as an atlas ({str(error)[:200]}); compute it again") from None


def _made_from(folder: Path) -> str:
    """YAML file of an atlas in a folder: the one beside its cells, or the shipped one of the same digest."""
    import json

    try:
        digest = json.loads((folder / "atlas.json").read_text(encoding="utf-8"))["atlas"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    for path in [*sorted(folder.glob("*.yaml")), *atlases().values()]:
        try:
            if load(path, allow_code=False).digest() == digest:
                return str(path)
        except InputError:
            continue
    return ""
