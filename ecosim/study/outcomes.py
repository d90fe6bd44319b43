"""What is kept of a run as numbers: the figures of its summary, by dotted path, and statistics of its series."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ecosim.config import known
from ecosim.errors import InputError, hint
from ecosim.study import groups

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

LEFT_OUT = ("name", "days", "seed", "economy")  # of the scenario, not of what happened
SERIES = "series"
TWIN = "twin_"
SUM = "sum"  # instead of a place in a list: of all its entries
OTHER_SERIES = ("firms_failing",)  # measured in every run, without being a metric

#: What can be asked of a series over the days lived (day -1, at rest, left out).
STATISTICS = {
    "mean": lambda lived: float(lived.mean()),
    "min": lambda lived: float(lived.min()),
    "max": lambda lived: float(lived.max()),
    "sum": lambda lived: float(lived.sum()),
    "std": lambda lived: float(lived.std()),
    "first": lambda lived: float(lived.iloc[0]),
    "last": lambda lived: float(lived.iloc[-1]),
}


def outcomes(
    wanted: Iterable[str] | None, summary: dict[str, Any], series: pd.DataFrame, firms: pd.DataFrame | None = None
) -> dict[str, float]:
    """Outcomes of a run by name: those ``wanted``, or every figure of the summary; of groups, with ``firms``.

    What did not happen (no recovery, no bank) is NaN. Raises InputError where no run can have such an outcome.
    """
    if wanted is None:
        return dict(_figures(summary))
    found: dict[str, float] = {}
    for path in wanted:
        of_groups = groups.parts(path)
        if of_groups is None:
            found[path] = _outcome(path, summary, series)
        elif firms is not None:
            found |= groups.figures(*of_groups, firms)
    return found


def check(path: str) -> str | None:
    """Say what is wrong with an outcome's path, as far as that shows before a run; None where nothing is."""
    steps = path.split(".")
    if not all(steps):
        return f"{path!r} is not a path; write keys joined by dots, for example loss.production_percent"
    if steps[0] == groups.BY:
        return groups.check(path)
    return _check_series(path, steps) if steps[0] == SERIES else None


def _check_series(path: str, steps: list[str]) -> str | None:
    if len(steps) != 3:
        return f"{path!r} names no figure; write series.COLUMN.STATISTIC, for example series.total_production.min"
    if steps[2] not in STATISTICS:
        return f"{path!r}: no statistic {steps[2]!r}; {hint(steps[2], STATISTICS)}"
    plain = steps[1].removeprefix(TWIN)
    names = [*known("metrics"), *OTHER_SERIES]
    # A metric of one's own has a name that only its class knows.
    if plain not in names and hint(plain, names).startswith("did you mean"):
        return f"{path!r}: no series {steps[1]!r}; {hint(plain, names)}"
    return None


def _figures(values: dict[str, Any], above: str = "") -> Iterable[tuple[str, float]]:
    for key, value in values.items():
        if not above and key in LEFT_OUT:
            continue
        path = f"{above}{key}"
        if isinstance(value, dict):
            yield from _figures(value, f"{path}.")
        elif value is None:
            yield path, math.nan
        elif isinstance(value, bool | int | float):
            yield path, float(value)


def _outcome(path: str, summary: dict[str, Any], series: pd.DataFrame) -> float:
    steps = path.split(".")
    if steps[0] == SERIES:
        return _of_series(path, steps[1], steps[2], series)
    value: Any = summary
    for at, step in enumerate(steps):
        if value is None:
            return math.nan
        if isinstance(value, list) and step == SUM:
            rest = ".".join(steps[at + 1 :])
            return math.fsum(_outcome(rest, entry, series) for entry in value)
        if isinstance(value, list):
            if not step.isdecimal():
                raise InputError(f"outcomes: {path!r}: {step!r} is no place in a list; write a number from 0")
            value = value[int(step)] if int(step) < len(value) else None
        elif isinstance(value, dict):
            if step not in value:
                raise InputError(f"outcomes: {path!r}: a run's summary has no {step!r} there; {hint(step, value)}")
            value = value[step]
        else:
            raise InputError(f"outcomes: {path!r}: there is nothing below a number; drop {step!r}")
    if value is None:
        return math.nan
    if not isinstance(value, bool | int | float):
        kind = "a group of figures" if isinstance(value, dict | list) else "text"
        some = f"; name one, for example {path}.{next(iter(value))}" if isinstance(value, dict) and value else ""
        raise InputError(f"outcomes: {path!r} is {kind}, not a number{some}")
    return float(value)


def _of_series(path: str, column: str, statistic: str, series: pd.DataFrame) -> float:
    if column in series:
        return STATISTICS[statistic](series[column].loc[0:])
    if column.removeprefix(TWIN) in {*known("metrics"), *OTHER_SERIES}:
        return math.nan  # its mechanism is off in this run
    raise InputError(f"outcomes: {path!r}: no run measures {column!r}; {hint(column, list(series.columns))}")
