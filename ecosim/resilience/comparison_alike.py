"""Which scenarios may be compared: the same days, seed, firms and shocks; and what makes a comparison weaker."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.config import Scenario
from ecosim.config.written import mapping
from ecosim.errors import InputError
from ecosim.found import load
from ecosim.model import Ecosystem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ecosim.state import World

    type Named = Mapping[str, Scenario]

FREE = {"who"}  # of a shock, what may differ between structures: places and firms have other names, hubs are elsewhere
UNLIKE = 0.02  # difference of what shocks took, or of usual output, that is told


def names(scenarios: Sequence[Any] | Mapping[str, Any]) -> dict[str, Scenario]:
    """Scenarios by name: of the mapping, or their own where no two are the same, or else of their files."""
    if isinstance(scenarios, (str, PathLike, Scenario)):
        raise InputError("one scenario; a comparison needs at least 2, the first to hold others against, in a list")
    given: list[Any] = list(scenarios.values()) if isinstance(scenarios, Mapping) else list(scenarios)
    read: list[Scenario] = [one if isinstance(one, Scenario) else load(one) for one in given]
    if len(read) < 2:
        raise InputError(f"{len(read)} scenarios; a comparison needs at least 2, the first to hold others against")
    choices = [list(scenarios)] if isinstance(scenarios, Mapping) else []
    choices += [[one.name for one in read]]
    choices += (
        [[Path(fspath(one)).stem for one in given]] if all(isinstance(one, (str, PathLike)) for one in given) else []
    )
    for labels in choices:
        if len(set(labels)) == len(labels):
            return dict(zip(labels, read, strict=True))
    labels = choices[0]
    twice = next(name for name in labels if labels.count(name) > 1)
    raise InputError(f"name: two scenarios are called {twice!r}; give them different names")


def refuse_unlike(named: Named) -> tuple[str, ...]:
    """Raise InputError where scenarios cannot be compared; return what makes the comparison weaker."""
    first, *others = named.items()
    for other in others:
        _refuse_unlike(first, other)
    worlds = {name: Ecosystem(scenario).world for name, scenario in named.items()}
    base, remarks = worlds[first[0]], []
    for name, _ in others:
        world = worlds[name]
        if world.firms.rows != base.firms.rows:
            raise InputError(
                f"economy: {first[0]} has {base.firms.rows:,} firms, {name} {world.firms.rows:,}; firms are paired by "
                "row, so give both as many"
            )
        usual = world.output_at_rest / base.output_at_rest
        if abs(usual - 1.0) > UNLIKE:
            remarks.append(
                f"{name} makes {100 * (usual - 1.0):+.3g} % of the usual output of {first[0]}: responses are shares of "
                "each one's own."
            )
        remarks += _hit_unlike(first[0], base, name, world, first[1].shocks)
    return tuple(remarks)


def _hit_unlike(a: str, one: World, b: str, two: World, shocks: Any) -> list[str]:
    """Say where a shock strikes other firms, as those with most links of each network."""
    told = []
    for shock in shocks:
        struck = [set(world.memory.get(shock.label, {}).get("rows", np.empty(0)).tolist()) for world in (one, two)]
        if struck[0] != struck[1]:
            told.append(
                f"{shock.label} strikes other firms: in the first replicate {len(struck[0]):,} in {a} and "
                f"{len(struck[1]):,} in {b}, {len(struck[0] & struck[1]):,} of them the same."
            )
    return told


def _refuse_unlike(one: tuple[str, Scenario], two: tuple[str, Scenario]) -> None:
    (a, first), (b, other) = one, two
    for what, mend in (("days", "give both as many"), ("seed", "give both the same, so that luck is the same")):
        if getattr(first, what) != getattr(other, what):
            raise InputError(f"{what}: {a} has {getattr(first, what)}, {b} {getattr(other, what)}; {mend}")
    if len(first.shocks) != len(other.shocks):
        raise InputError(f"shocks: {a} has {len(first.shocks)}, {b} {len(other.shocks)}; give both the same shocks")
    shocks: list[tuple[Any, Any]] = list(zip(first.shocks, other.shocks, strict=True))
    plain = zip(mapping(first)["shocks"], mapping(other)["shocks"], strict=True)
    for at, ((shock, like), (values, those)) in enumerate(zip(shocks, plain, strict=True)):
        values["name"], those["name"] = shock.label, like.label  # draws are addressed by it
        for key in ("kind", *sorted((values.keys() | those.keys()) - FREE - {"kind"})):
            if values.get(key) != those.get(key):
                raise InputError(
                    f"shocks.{at}.{key}: {values.get(key)!r} in {a}, {those.get(key)!r} in {b}; the same shock must "
                    "befall both, or a difference would not tell of their structure"
                )
