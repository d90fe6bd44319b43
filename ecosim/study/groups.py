"""Outcomes of groups of firms: what a sector, a region or a class of size lost.

``by.sector.Retail trade.lost_percent`` is one such outcome, and ``by.sector.*.lost_percent`` are those of all sectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.errors import hint

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

BY, ALL = "by", "*"
GROUPINGS = ("sector", "region", "size")
FIGURES = {
    "lost_percent": "production lost, per cent of what the group made in the undisturbed twin",
    "failed_percent": "firms that fell below half of their usual output at some time, per cent of the group",
}
SIZES = ("small", "medium", "large")
SMALL, LARGE = 0.5, 0.9  # the lower half of firms by usual output is small, the upper tenth is large


def parts(path: str) -> tuple[str, str, str] | None:
    """Grouping, group (or ``*``) and figure of a path; None of one that is of no group. Names may hold dots."""
    steps = path.split(".")
    if steps[0] != BY or len(steps) < 4:
        return None
    return steps[1], ".".join(steps[2:-1]), steps[-1]


def check(path: str) -> str | None:
    """Say what is wrong with an outcome of groups; None where nothing is."""
    found = parts(path)
    if found is None:
        return f"{path!r} names no group; write by.GROUPING.NAME.FIGURE, for example by.size.small.lost_percent"
    grouping, _, figure = found
    if grouping not in GROUPINGS:
        return f"{path!r}: no grouping {grouping!r}; {hint(grouping, GROUPINGS)}"
    if figure not in FIGURES:
        return f"{path!r}: no figure {figure!r}; {hint(figure, FIGURES)}"
    return None


def of_path(path: str, names: Iterable[str]) -> list[str]:
    """Those of some outcomes that a path with ``*`` stands for."""
    wanted = parts(path)
    if wanted is None or wanted[1] != ALL:
        return []
    return [name for name in names if (found := parts(name)) and (found[0], found[2]) == (wanted[0], wanted[2])]


def figures(grouping: str, name: str, figure: str, firms: pd.DataFrame) -> dict[str, float]:
    """A figure of one group, or of all that have firms, by path; NaN of a group that has none, or that made nothing."""
    groups = sizes(firms) if grouping == "size" else firms[grouping].astype(str).to_numpy()
    names, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    if figure == "failed_percent":
        values = np.bincount(codes, firms["failed_on"].to_numpy() >= 0) / counts
    else:
        lost = np.bincount(codes, firms["lost"].to_numpy())
        made = lost + np.bincount(codes, firms["produced"].to_numpy())
        values = np.divide(lost, made, out=np.full(len(names), np.nan), where=made > 0.0)
    found = dict(zip(names.tolist(), (100.0 * values).tolist(), strict=True))
    return {f"{BY}.{grouping}.{each}.{figure}": found.get(each, np.nan) for each in (found if name == ALL else (name,))}


def sizes(firms: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Class of size of each firm by its rank in usual output, (firms,)."""
    output = firms["output"].to_numpy()
    place = np.empty(len(output))
    place[np.argsort(output, kind="stable")] = (np.arange(len(output)) + 0.5) / len(output)
    return np.array(SIZES)[np.searchsorted([SMALL, LARGE], place)]
