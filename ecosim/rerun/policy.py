"""A policy study, lived again: some runs of each of its stages, or all of them; its tables and its page, made anew.

The search is retraced from the study's own keys and from nothing but the runs that are stored: what was looked at next,
what was chosen and what was tested follow from them. So a run that was changed shows in the tables, or in the stage
that the search would have come upon next.
"""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd

from ecosim.artefact import POLICY, stages
from ecosim.errors import InputError
from ecosim.rerun import sweep
from ecosim.rerun.difference import Difference, of_tables
from ecosim.rerun.verifying import Findings
from ecosim.study import folder as of_study
from ecosim.study.policy.futures import draw
from ecosim.study.policy.page import QUICK
from ecosim.study.policy.results import PAGE
from ecosim.study.policy.searching import Search
from ecosim.study.policy.stage import RUNS, Lived
from ecosim.study.policy.verdicts import FOLDER, judge
from ecosim.study.results import Study
from ecosim.study.spreadsheet import csv

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ecosim.study.policy.futures import Purpose
    from ecosim.study.policy.packages import Package
    from ecosim.study.policy.results import Found
    from ecosim.study.policy.seal import Opening
    from ecosim.study.policy.spec import PolicySpec
    from ecosim.study.spec import StudySpec

SEALED, OPENED = "sealed", "opened_before"


def again(
    folder: Path, findings: Findings, *, every: bool, allow_code: bool, progress: Callable[[str], None]
) -> None:  # fmt: skip
    """Live runs of each stage again, retrace the search through the stored runs, and compare all that it says."""
    if not (folder / PAGE).is_file():
        raise InputError(f"{folder}: {PAGE} is missing, so the study is not finished; go on with {POLICY.made}")
    spec = _spec(folder, allow_code=allow_code)
    for stage in stages(folder):
        found = Findings()
        sweep.again(stage, found, every=every, allow_code=allow_code, progress=progress)
        findings.compared += [f"{stage.name}: {each}" for each in found.compared]
        findings.differences += found.differences
    progress("making the tables again from the stored runs")
    with TemporaryDirectory() as beside:
        if (folder / FOLDER).is_dir() and not every:
            shutil.copytree(folder / FOLDER, Path(beside) / FOLDER)  # so that nothing is written to the folder
        try:
            made = _Retraced(spec, folder, Path(beside)).found()
        except _Elsewhere as other:
            findings.note("", other.found)
            return
    _compare(folder, made, findings)
    rest = "" if every else "; other runs of each stage were not lived again, and --all lives every one"
    findings.left_out = f"pictures and the record of openings of the seal are not compared{rest}"


def _spec(folder: Path, *, allow_code: bool) -> PolicySpec:
    """The study as its folder holds it. Raises InputError where it cannot be read."""
    from pydantic import ValidationError

    from ecosim.config import ScenarioError
    from ecosim.study.policy.spec import PolicySpec

    path = folder / POLICY.holder
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        given["uncertainties"] = {name: sweep.factor(one) for name, one in given["uncertainties"].items()}
        spec = PolicySpec.model_validate(given, context={"allow_code": allow_code})
    except ValidationError as error:
        first = error.errors()[0]
        words = f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
    except (OSError, ValueError, KeyError, TypeError, ScenarioError) as error:
        words = str(error)
    else:
        spec._corner = QUICK in (folder / PAGE).read_text(encoding="utf-8")  # of a study, only its page says it
        return spec
    raise InputError(f"{path}: the study cannot be read again ({words}); put back the file that was there")


class _Elsewhere(Exception):  # noqa: N818 - no error: what is found
    """The search, retraced, comes to a stage that is not the one in the folder."""

    def __init__(self, found: Difference) -> None:
        super().__init__(str(found))
        self.found = found


class _Stored(Lived):
    """Packages in futures, of which nothing is lived: every stage must be in the folder."""

    def study(self, stage: str, spec: StudySpec) -> Study:
        place = self.folder / RUNS / stage
        name = f"{RUNS}/{stage}"
        if not place.is_dir():
            raise _Elsewhere(Difference(name, "", "", "missing", "lived next by the search"))
        held, now = of_study.manifest(place)["study_sha256"], of_study.digest(spec)
        if held != now:
            raise _Elsewhere(Difference(f"{name}/manifest.json", "study_sha256", "", held, now))
        return Study.load(place)


class _Retraced(Search):
    """The search of a study, with what is in its folder instead of what would be lived."""

    def __init__(self, spec: PolicySpec, folder: Path, beside: Path) -> None:
        super().__init__(spec, folder, 1, None, lambda _: None)
        self.beside = beside

    def lived(self, purpose: Purpose) -> Lived:
        return _Stored(self.spec, draw(self.spec, purpose), self.place)

    def judged(self, packages: Sequence[Package]) -> pd.DataFrame:
        return judge(self.spec, packages, self.beside, self.workers)  # lives the first replicate of each again

    def opened(self, chosen: Package) -> list[Opening]:
        return []  # the record is neither read nor written


def _compare(folder: Path, made: Found, findings: Findings) -> None:
    """Compare tables, in both of their forms, and the page."""
    opened = False
    for name, table in made.tables.items():
        if table.columns.empty:
            continue
        here, now = _held(folder / f"{name}.parquet"), _stored(table)
        if here is not None and name == SEALED and OPENED in here:
            opened = bool(here[OPENED].any())
            now[OPENED] = table[OPENED] = here[OPENED].to_numpy()  # a matter of the record, not of the runs
        found = _missing(f"{name}.parquet") if here is None else of_tables(f"{name}.parquet", here, now)
        findings.note(name, found or _of_text(folder / f"{name}.csv", csv(table)))
    if not opened:  # else the page tells of the record, too
        findings.note(PAGE, _of_text(folder / PAGE, made.page()))


def _held(path: Path) -> Any:
    try:
        return pd.read_parquet(path) if path.is_file() else None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: damaged ({error}); put back the file that was there") from None


def _stored(table: pd.DataFrame) -> pd.DataFrame:
    """A table as it comes back from its file, whose format turns some types into others."""
    file = io.BytesIO()
    table.to_parquet(file)
    return pd.read_parquet(file)


def _missing(name: str) -> Difference:
    return Difference(name, "", "", "missing", "there")


def _of_text(path: Path, now: str) -> Difference | None:
    """The first line of a text that differs."""
    if not path.is_file():
        return _missing(path.name)
    here, there = path.read_text(encoding="utf-8").splitlines(), now.splitlines()
    lines = max(len(here), len(there))
    for at in range(lines):
        one, other = (repr(text[at]) if at < len(text) else "nothing" for text in (here, there))
        if one != other:
            return Difference(path.name, "", f"line {at + 1}", one, other)
    return None
