"""The report of a policy study: which package of interventions holds up, at what cost, for whom.

The study's own page says it all in words that its tests bear; here it is read into a document.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

from ecosim import artefact, provenance
from ecosim.artefact import POLICY, stages
from ecosim.dossier import standing
from ecosim.dossier.claims import listed
from ecosim.dossier.document import Document, Drawn, Listing, Paragraph, Points, Section, section, table
from ecosim.errors import InputError
from ecosim.study.policy.page import QUICK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ecosim.dossier.document import Block

PAGE = "page.md"
ANSWER, RESTS = "The answer", "What this rests on"
#: Pictures of a study, by the heading below which each belongs.
PICTURES = {
    "Each lever": ("effects", "What each package saves against doing nothing, with its 95 % interval."),
    "The front": (
        "pareto",
        "Cost and loss of all packages, those that none beats in both, and how the search converged.",
    ),
    "Winners": ("winners", "Who wins and who loses: effects on the production of groups of firms."),
}
REST = (
    "Intervals are of 95 %, and the test of what is recommended is corrected for all packages that were tested "
    "beside it.",
    "All of it is in the tables of the folder.",
)


def document(folder: Path, *, allow_code: bool = False) -> Document:
    """Make the report of a policy study's folder."""
    from ecosim.config import Scenario
    from ecosim.config.source import read_text

    if not (folder / PAGE).is_file():
        raise InputError(f"{folder}: {PAGE} is missing, so the study is not finished; go on with {POLICY.made}")
    made = provenance.of(folder)
    title, intro, parts = read((folder / PAGE).read_text(encoding="utf-8", errors="replace"))
    spec = artefact.read(folder / POLICY.holder)
    if not spec.get("levers") or not spec.get("shocks") or "outcome" not in spec:
        raise InputError(f"{folder / POLICY.holder}: damaged (no levers, shocks or outcome); put back what was there")
    path = stages(folder)[0] / "scenario.yaml"
    base = Scenario.from_yaml(read_text(path), name=str(path), allow_code=allow_code)
    told = parts.pop(ANSWER, ())
    rests = [item for block in parts.pop(RESTS, ()) if isinstance(block, Points) for item in block.items]
    return Document(
        title=title,
        kind="A policy study",
        question=question(spec),
        answer=answer(told, intro),
        sections=(
            section("What was done", standing.changed(made), intro),
            *(Section(name, (*blocks, *_pictures(folder, name))) for name, blocks in parts.items()),
            standing.assumptions(base),
            standing.validation(made),
            standing.reproduction(folder, [_again(folder, made)], made),
            standing.data(made),
            standing.limits(*rests),
            section("The study", Listing(json.dumps(spec, indent=1, ensure_ascii=False), "Everything in "
            "it:", folded=True)),
        ),
        colophon=standing.colophon(made),
    )  # fmt: skip


def question(spec: dict[str, Any]) -> str:
    """What was asked."""
    levers, shocks = listed(list(spec["levers"])), listed(list(spec["shocks"]))
    aim = spec.get("target")
    goal = (
        f", so that at most {aim['loss']:g} % of {spec['outcome']} is lost in {100 * aim['share']:g} % of futures"
        if aim
        else ""
    )
    return f"Which of {levers} hold up against {shocks}, and at what cost{goal}?"


def answer(blocks: tuple[Block, ...], intro: tuple[Block, ...] = ()) -> tuple[str, str, str]:
    """The page's answer in three parts; what is missing is said to be, and first that a quick study is no answer."""
    told = [block.text for block in blocks if isinstance(block, Paragraph)][:3]
    first, second, third = [*told, *REST, ""][:3] if len(told) < 3 else told
    quick = Paragraph(_plain(QUICK), warning=True)
    return f"{quick.text} {first}" if quick in intro else first, second, third


def read(page: str) -> tuple[str, tuple[Block, ...], dict[str, tuple[Block, ...]]]:
    """Title, introduction and sections of a page in the plain Markdown that studies write."""
    head, *parts = re.split(r"(?m)^## ", page)
    title, _, intro = head.partition("\n")
    found = {}
    for part in parts:
        name, _, text = part.partition("\n")
        found[name.strip()] = tuple(_blocks(text))
    return title.removeprefix("# ").strip(), tuple(_blocks(intro)), found


def _blocks(text: str) -> Iterator[Block]:
    caption = ""
    for piece in re.split(r"\n\s*\n", text.strip()):
        lines = [line for line in piece.splitlines() if line.strip()]
        if not lines:
            continue
        rows = [line for line in lines if line.startswith("|")]
        if rows:
            cells = [[_plain(cell) for cell in re.split(r"(?<!\\)\|", row.strip()[1:-1])] for row in rows]
            if len({len(row) for row in cells}) > 1:
                words = f"rows of unlike length in the table {rows[0]}"
                raise InputError(f"{PAGE}: damaged ({words}); put back what was there")
            yield table(caption, cells[0], cells[2:])
            caption = ""
            lines = lines[len(rows) :]
        elif caption:
            yield Paragraph(caption)
            caption = ""
        if lines and lines[0].startswith("- "):
            yield Points(tuple(_plain(line.removeprefix("- ")) for line in lines))
        elif lines and lines[0].startswith("**") and lines[-1].endswith("**"):
            yield Paragraph(_plain(" ".join(lines)), warning=True)
        elif lines:
            caption = _plain(" ".join(lines))
    if caption:
        yield Paragraph(caption)


def _plain(text: str) -> str:
    return text.replace("**", "").replace("\\|", "|").strip()


def _pictures(folder: Path, heading: str) -> list[Drawn]:
    return [
        Drawn(caption, folder / f"{name}.svg", folder / f"{name}.png")
        for start, (name, caption) in PICTURES.items()
        if heading.startswith(start) and (folder / f"{name}.svg").is_file() and (folder / f"{name}.png").is_file()
    ]


def _again(folder: Path, made: dict[str, Any]) -> str:
    typed = made.get("command")
    if not typed:
        return f"ecosim policy STUDY.yaml --out again   # what {shlex.quote(str(folder / POLICY.holder))} holds"
    words = list(typed)
    if "--out" in words:
        words[words.index("--out") + 1] = "again"
        return shlex.join(words)
    return f"{shlex.join(words)} --out again"
