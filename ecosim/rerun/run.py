"""A run, lived again."""

from __future__ import annotations

import json
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd

from ecosim import artefact, provenance
from ecosim.errors import InputError
from ecosim.rerun.difference import Difference, of_tables, of_values
from ecosim.result import DAILY, EXTRAS, FILES, FRAMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ecosim.config import Scenario
    from ecosim.recording import Recorder
    from ecosim.rerun.verifying import Findings
    from ecosim.result import Result

LEFT_OUT = frozenset({"figure.png", "manifest.json"})  # drawn from the tables; and what is compared first

MEND = "put it back, or run the scenario again"


def again(
    folder: Path, findings: Findings, *, every: bool, allow_code: bool, progress: Callable[[str], None]
) -> None:  # fmt: skip
    """Live the run of a folder again and compare all of its tables, which is ``every`` that there is."""
    from pathlib import Path as Place

    held = _manifest(folder)
    scenario = _scenario(folder, held, allow_code=allow_code)
    recorded = held.get("recorded")
    with TemporaryDirectory() as beside:
        progress(f"living {scenario.name} again")
        result = _lived(scenario, held, Place(beside) / DAILY if recorded else None)
        findings.note("the scenario", of_values("scenario.yaml", held["scenario_sha256"], scenario.digest(), "SHA-256"))
        for name, of in (("network_sha256", "network"), ("series_sha256", "daily series")):
            findings.note(f"the hash of the {of}", of_values("manifest.json", held[name], result.manifest[name], name))
        frames = [
            *FRAMES,
            *(name for name in EXTRAS if getattr(result, name) is not None or f"{name}.parquet" in held["files"]),
        ]
        for name in frames:
            findings.note(f"{name}.parquet", _frame(folder, f"{name}.parquet", getattr(result, name)))
        if recorded:
            assert result.recorded is not None
            findings.note(DAILY, _frame(folder, DAILY, pd.read_parquet(result.recorded)))
    again_ = json.loads(json.dumps(result.summary))
    findings.note("summary.json", of_values("summary.json", artefact.read(folder / "summary.json", MEND), again_))
    _note_changed_files(folder, held, findings)


def _note_changed_files(folder: Path, held: dict[str, Any], findings: Findings) -> None:
    """Files that are not as they were written, though what was lived again agrees with them, or is not in them."""
    told = {each.table for each in findings.differences}
    for name, before in held["files"].items():
        if name in told or not (folder / name).is_file():
            continue
        now = provenance.sha256(folder / name)
        if now != before:
            findings.note(name, Difference(name, "", "", f"SHA-256 {now}", f"{before} when it was written"))


def _manifest(folder: Path) -> dict[str, Any]:
    held = artefact.read(folder / "manifest.json", MEND)
    for name in FILES:
        if name not in LEFT_OUT and not (folder / name).is_file():
            raise InputError(f"{folder}: {name} is missing; {MEND}")
    return held


def _scenario(folder: Path, held: dict[str, Any], *, allow_code: bool) -> Scenario:
    from ecosim.config import Scenario
    from ecosim.config.source import read_text
    from ecosim.rows import Roster

    path = folder / "scenario.yaml"
    scenario = Scenario.from_yaml(read_text(path), name=str(path), allow_code=allow_code)
    own = set(artefact.table(folder / "firms.parquet", MEND)["type"].astype(str).unique())
    named = {rule.type.rpartition(":")[2] for rule in scenario.economy.agents}
    unknown = own - named - {cls.__name__ for cls in Roster.stock_classes}
    if unknown:
        raise InputError(
            f"{folder}: its firms follow {', '.join(sorted(unknown))}, a class that was given in Python and that no "
            "file names; live it again there, with the same agents"
        )
    return scenario


def _lived(scenario: Scenario, held: dict[str, Any], daily: Path | None) -> Result:
    from contextlib import nullcontext

    from ecosim.model import Ecosystem
    from ecosim.paired import finish
    from ecosim.recording import Recorder

    eco = Ecosystem(scenario, replicate=int(held["replicate"]))
    top = held.get("lineage", {}).get("top")
    recorder: Recorder | None = None if daily is None else Recorder(daily, held["recorded"])
    with recorder or nullcontext():
        if recorder is not None:
            recorder.begin(eco)
        return finish(eco, recorder=recorder, lineage="off" if top is None else "full" if top < 0 else top)


def _frame(folder: Path, name: str, again: pd.DataFrame | None) -> Difference | None:
    """Compare a table of the folder with the one that was made again."""
    import io

    if not (folder / name).is_file() or again is None:
        there = "missing" if not (folder / name).is_file() else "there"
        return Difference(name, "", "", there, "missing" if again is None else "there")
    try:
        here = pd.read_parquet(folder / name)
    except (OSError, ValueError) as error:
        return Difference(name, "", "", f"damaged ({error})", "there")
    file = io.BytesIO()  # through the same format, which turns some types into others
    again.to_parquet(file)
    return of_tables(name, here, pd.read_parquet(file))
