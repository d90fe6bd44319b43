"""A sweep, lived again: some of its runs, or all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.errors import InputError
from ecosim.rerun.atlas import spread
from ecosim.rerun.difference import Difference, of_tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ecosim.rerun.verifying import Findings
    from ecosim.study.results import Study
    from ecosim.study.spec import StudySpec

SAMPLE = 5  # runs, spread evenly over all that succeeded


def again(
    folder: Path, findings: Findings, *, every: bool, allow_code: bool, progress: Callable[[str], None]
) -> None:  # fmt: skip
    """Live runs again from the study's scenario and design, and compare their outcomes and daily series."""
    from ecosim.study import folder as of_study
    from ecosim.study.job import OK, Job, Setting
    from ecosim.study.living import live
    from ecosim.study.results import Study

    study = Study.load(folder)
    spec = _spec(study, allow_code=allow_code)
    if of_study.digest(spec) != study.manifest["study_sha256"]:
        found = Difference("manifest.json", "study_sha256", "", study.manifest["study_sha256"], of_study.digest(spec))
        findings.note("", found)
        return
    findings.note("design.parquet", of_tables("design.parquet", study.design, of_study.shown(spec)))
    kept = study.table()
    good = kept.loc[kept["status"] == OK]
    if not len(good):
        raise InputError(f"{folder}: no run succeeded so far; sweep on, or see failures()")
    setting = Setting(str(folder), study.manifest["code"], spec.base, spec.outcomes, spec.series, spec.limits)
    runs = good["run"].tolist()
    chosen = runs if every else spread(runs, SAMPLE)
    for done, run in enumerate(chosen):
        progress(f"living run {run:,} again ({done + 1:,} of {len(chosen):,})")
        point, replicate = divmod(int(run), int(study.manifest["replicates"]))
        row = live(setting, Job(int(run), replicate, of_study.changes(spec, point)), lambda _: None)
        if row.status != OK:
            found = Difference("runs", "status", f"run {run}", OK, f"{row.status}: {row.error}")
        else:
            found = _of_run(study, good.loc[good["run"] == run].iloc[0], row.outcomes, row.series)  # type: ignore[assignment]
        if found is not None:
            findings.note("", found)
    if not findings.differences:
        findings.compared.append(f"{len(chosen):,} of {len(runs):,} runs")
    if len(chosen) < len(runs):
        findings.left_out = f"{len(runs) - len(chosen):,} runs were not lived again; --all lives every one"


def _spec(study: Study, *, allow_code: bool) -> StudySpec:
    from pydantic import ValidationError

    from ecosim.config import Scenario
    from ecosim.config.source import read_text
    from ecosim.study.spec import StudySpec

    path = study.folder / "scenario.yaml"
    base = Scenario.from_yaml(read_text(path), name=str(path), allow_code=allow_code)
    try:
        given = {**study.manifest["spec"], "scenario": base}
        given["factors"] = {path: factor(one) for path, one in given["factors"].items()}
        if given["design"].get("kind") == "table" and not given["design"].get("file"):  # a frame, given in Python
            given["design"] = {**given["design"], "frame": study.design}
        return StudySpec.model_validate(given, context={"allow_code": allow_code})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{study.folder}: its study cannot be read again ({where}: {first['msg']}); put back the files that it "
            f"names"
        ) from None


def factor(written: dict[str, Any]) -> dict[str, Any]:
    """A factor as its study had it: what is written down names what belongs to a range beside a list of values, too."""
    return written if written["values"] is None else {"values": written["values"], "levels": written["levels"]}


def _of_run(study: Study, here: Any, outcomes: Any, series: Any) -> Difference | None:
    run = int(here["run"])
    names = [name for name in outcomes if name in here.index]
    kept, lived = (
        pd.DataFrame({"run": [run], **{name: [float(of[name])] for name in names}}) for of in (here, outcomes)
    )
    found = of_tables("runs", kept, lived)
    if found is not None or not series:
        return found
    before = study.series(run)
    again_ = pd.DataFrame({name: np.asarray(values) for name, values in series.items()}, index=before.index)
    found = of_tables(
        f"series of run {run}", before, again_[list(before.columns)] if set(before) <= set(again_) else again_
    )
    return found
