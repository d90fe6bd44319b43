"""The folder of a study: what it is about, its points, and its runs."""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim import artefact, provenance
from ecosim.errors import InputError
from ecosim.folders import NewFolder
from ecosim.study.identity import code_version
from ecosim.study.store import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from ecosim.config import Scenario
    from ecosim.study.factors import Codes, Factor
    from ecosim.study.spec import StudySpec

FORMAT = 1
MANIFEST, DESIGN, BASE = "manifest.json", "design.parquet", "scenario.yaml"
NO_PART = {
    "scenario",
    "set",
    "limits",
    "name",
    "targets",
    "waves",
}  # of what tells two studies apart; the base stands for the first two


def prepare(place: Path, spec: StudySpec) -> None:
    """Make the folder of a study, or see that it is this study's. Raises InputError where it is something else."""
    if (place / MANIFEST).is_file():
        _refuse_other(place, manifest(place), spec)
        return
    if place.is_dir() and any(place.iterdir()):
        raise InputError(f"{place}: holds something that is no study; choose another folder with --out")
    with NewFolder(place, (MANIFEST, DESIGN, BASE, RUNS), otherwise="choose another with --out") as new, new.told():
        (new.half / RUNS).mkdir()
        (new.half / BASE).write_text(spec.base.to_yaml(), encoding="utf-8")
        shown(spec).to_parquet(new.half / DESIGN)
        (new.half / MANIFEST).write_text(_manifest(spec), encoding="utf-8")
        new.publish()


def _refuse_other(place: Path, found: dict[str, Any], spec: StudySpec) -> None:
    if found["study_sha256"] != digest(spec):
        raise InputError(
            f"{place}: holds another study ({found['name']}), or this one before it was changed; choose another "
            "folder with --out"
        )
    if found["code"] != code_version():
        raise InputError(
            f"{place}: begun with another version of ecosim ({found['versions']['ecosim']}, {found['code']}), whose "
            "runs may differ from this one's; finish it with that version, or choose another folder with --out"
        )


@contextmanager
def alone(place: Path, lock: str) -> Iterator[None]:
    """Hold a folder by its file ``lock`` while it is worked in; the system lets go of it with the process, however that
    ends. Raises InputError where somebody else holds it."""
    with (place / lock).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{place}: somebody is at work on this study; wait for the end, or stop it") from None
        yield


def manifest(place: Path) -> dict[str, Any]:
    """What a study's folder says of itself. Raises InputError where it is none, or damaged."""
    try:
        found = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        if "series_sha256" in found:  # the folder of a run has a manifest of that name, too
            artefact.expect(place, artefact.SWEEP)
        if found["format"] != FORMAT:
            raise InputError(f"{place}: written by a later version of ecosim (format {found['format']}); update it")
        for key in ("name", "study_sha256", "code", "seed", "points", "replicates", "versions", "spec"):
            found[key]
    except FileNotFoundError:
        raise InputError(f"{place}: not the folder of a study; give one written by ecosim sweep") from None
    except InputError:
        raise
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{place / MANIFEST}: damaged ({error}); put back the file, or sweep again") from None
    return dict(found)


def _manifest(spec: StudySpec) -> str:
    values = {
        "format": FORMAT,
        "name": spec.name,
        "study_sha256": digest(spec),
        "days": spec.base.days,
        "points": len(spec.codes),
        "replicates": spec.replicates,
        "factors": list(spec.varied),
        "spec": _plain(spec, {"scenario", "set"}),
        **provenance.record(spec.base, seed=spec.base.seed),
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def digest(spec: StudySpec) -> str:
    """SHA-256 of what the runs of a study follow from; its name and its limits are no part of that."""
    values = {"base": spec.base.digest(), **_plain(spec, NO_PART)}
    total = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    total.update(np.ascontiguousarray(spec.codes).tobytes())
    total.update(json.dumps([_plain(factor, set()) for factor in spec.varied.values()], sort_keys=True).encode())
    return total.hexdigest()


def _plain(part: BaseModel, without: set[str]) -> dict[str, Any]:
    return part.model_dump(mode="json", exclude=without)


def changes(spec: StudySpec, point: int) -> dict[str, Any]:
    """What a point changes in the base scenario, by path."""
    return {
        path: factor.value(code, whole=whole)
        for (path, factor), whole, code in zip(spec.varied.items(), spec.whole, spec.codes[point].tolist(), strict=True)
        if not math.isnan(code)
    }


def shown(spec: StudySpec) -> pd.DataFrame:
    """The design as a table: a row a point, a column a factor, with the values (or their names) that a point has."""
    columns = {
        path: _column(factor, spec.codes[:, at], whole=whole, usual=_at(spec.base, path))
        for at, ((path, factor), whole) in enumerate(zip(spec.varied.items(), spec.whole, strict=True))
    }
    return pd.DataFrame(columns)


def _column(factor: Factor, codes: Codes, *, whole: bool, usual: Any) -> Any:
    usual_here = np.isnan(codes)
    if factor.values is None:
        values = np.where(usual_here, np.nan if usual is None else usual, codes)
        return values.astype(np.int64) if whole and not np.isnan(values).any() else values
    names: list[Any] = list(factor.names)
    if usual_here.any():
        if isinstance(usual, float) and any(type(name) is int for name in names):
            names = [float(name) for name in names]
        plain = usual is None or isinstance(usual, bool | int | float | str)
        names.append(usual if plain else json.dumps(usual, default=str))
    kinds = {type(name) for name in names if name is not None}
    if len(kinds) > 1 and not kinds <= {int, float}:
        names = [name if name is None or isinstance(name, str) else json.dumps(name) for name in names]
    places = np.where(usual_here, len(names) - 1, codes).astype(np.int64)
    return pd.Series(names).take(places).reset_index(drop=True)


def _at(scenario: Scenario, path: str) -> Any:
    """What stands at a dotted path of a scenario; None where nothing does."""
    value: Any = scenario
    for step in path.split("."):
        if isinstance(value, tuple | list):
            value = value[int(step)] if step.isdecimal() and int(step) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            value = getattr(value, step, None)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, tuple):
        return [item.model_dump(mode="json") if hasattr(item, "model_dump") else item for item in value]
    return value
