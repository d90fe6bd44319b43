"""Live a scenario beside its twin at every intensity of its shock, with common random numbers.

In each replicate all intensities share one network and one twin. Draws are addressed (`ecosim.rng`), and whom a shock
strikes, when and how hard is drawn before the first day, so that an intensity only scales what was drawn.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from ecosim.config import Scenario
from ecosim.errors import InputError
from ecosim.found import load
from ecosim.resilience.curves import FEWEST
from ecosim.resilience.intensity import Design, Lived, live
from ecosim.resilience.pool import processes
from ecosim.resilience.responses import COSTS, OUTCOMES, Made, Responses
from ecosim.swans import open_seals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor
    from os import PathLike

    from numpy.typing import NDArray

    type Array = NDArray[np.float64]

KEEP_EVERY = 10.0  # seconds between two savings of what was lived so far
LINEAR = 0.02  # departure of firm-days from a straight line, share of those at full strength, that is told


def respond(
    scenario: Scenario | str | PathLike[str],
    *,
    replicates: int = 60,
    intensities: int = 9,
    axis: Literal["severity", "reach"] = "severity",
    window: float = 0.1,
    workers: int | Executor = 1,
    progress: Callable[[int, int], None] | None = None,
    start: Responses | None = None,
    keep: str | PathLike[str] | None = None,
) -> Responses:
    """Live ``replicates`` of a scenario (or its YAML file) at ``intensities`` steps from 0 to its own strength.

    On the axis "severity" every severity is multiplied by k/(m-1); on "reach" that share of the struck firms is hit,
    in a random order of the firms, so that whoever is hit at one intensity is hit at every higher one (a remaining
    fraction of a firm is hit with that chance, so that the number is right on average). Intensity 0 is the twin: in the
    first replicate it is lived, and must equal it to the bit. ``window`` is the share of the horizon that counts as its
    end. The result is the same for any number of ``workers`` (or an Executor of yours); ``progress(done, total)``
    counts replicates. ``start`` goes on from responses of the same scenario; ``keep`` names a file in which replicates
    are kept while they are lived, and from which a later call goes on, after checking that its first replicate is
    still what the code gives.

    Raises InputError for a scenario without shocks, or with a shock that keeps no entries of whom it strikes; a twin
    without output; fewer than 5 or an even number of intensities; a start of another scenario.
    """
    chosen = scenario if isinstance(scenario, Scenario) else load(scenario)
    design = _design(chosen, intensities, axis, window)
    open_seals(chosen)
    if isinstance(replicates, bool) or not isinstance(replicates, int) or replicates < 1:
        raise InputError(f"replicates = {replicates!r}; give a number of replicates from 1, for a verdict 60 or more")
    kept = None if keep is None else Path(keep)
    begun = start
    if kept is not None and kept.exists():
        read = Responses.load(kept)
        if begun is None or read.replicates > begun.replicates:
            _refuse_other(read, design, str(kept))
            _refuse_changed(read, design, str(kept))
            begun = read
    if begun is not None:
        _refuse_other(begun, design, "start")
    have = begun.replicates if begun is not None else 0
    if begun is not None and have >= replicates:
        return begun.first(replicates)
    lived: list[Lived] = []
    saved = time.monotonic()
    try:
        with processes(workers) if isinstance(workers, int) else nullcontext(workers) as pool:
            for one in _lived_in_order(design, range(have, replicates), pool):
                lived.append(one)
                if progress is not None:
                    progress(have + len(lived), replicates)
                if kept is not None and time.monotonic() - saved > KEEP_EVERY:
                    _gathered(design, lived, begun, whole=False).save(kept, force=True)
                    saved = time.monotonic()
    except BaseException:
        if kept is not None and lived:
            _gathered(design, lived, begun, whole=False).save(kept, force=True)
        raise
    found = _gathered(design, lived, begun, whole=True)
    if kept is not None:
        found.save(kept, force=True)
    return found


def _design(scenario: Scenario, intensities: int, axis: str, window: float) -> Design:
    if not scenario.shocks:
        raise InputError(f"{scenario.name}: shocks: there are none to respond to; add one, such as {{kind: outage}}")
    if isinstance(intensities, bool) or not isinstance(intensities, int) or intensities < FEWEST or not intensities % 2:
        raise InputError(f"intensities = {intensities!r}; give an odd number from {FEWEST}, such as 9")
    if axis not in ("severity", "reach"):
        raise InputError(f"axis = {axis!r}; give 'severity' (how hard) or 'reach' (how many)")
    if not 0 < window <= 1:
        raise InputError(f"window = {window!r}; give the share of the horizon at its end, above 0 and at most 1")
    return Design(scenario, intensities, axis, window)


def _refuse_other(begun: Responses, design: Design, where: str) -> None:
    """Replicates of something else cannot be gone on with."""
    made, scenario = begun.made, design.scenario
    for name, old, new in (
        ("scenario", made.scenario, scenario.digest()),
        ("intensities", len(begun.x), design.intensities),
        ("axis", made.axis, design.axis),
        ("window", made.window, design.window),
        ("version", made.version, version("ecosim")),
    ):
        if old != new:
            told = f"{old} and {new}" if name != "scenario" else f"{begun.name!r}, and not this {scenario.name!r}"
            raise InputError(f"{where}: its replicates were made with another {name} ({told}); begin anew without it")


def _refuse_changed(begun: Responses, design: Design, where: str) -> None:
    """What was kept by another process must be what this code gives, or the replicates would not be of one kind."""
    again = live(design, 0)
    for name, values in {"d": begun.d, "e": begun.e, **begun.outcomes}.items():
        if not np.array_equal(values[0], again.rows[name], equal_nan=True):
            raise InputError(f"{where}: its first replicate is another one now ({name}); delete the file, begin anew")


def _lived_in_order(design: Design, replicates: range, pool: Executor | None) -> Iterator[Lived]:
    if pool is None:
        return map(partial(live, design), replicates)
    return pool.map(partial(live, design), replicates)


def _gathered(design: Design, lived: list[Lived], begun: Responses | None, *, whole: bool) -> Responses:
    """Everything lived so far, with the intensities in units of what the shocks took at full strength."""
    names = ("d", "e", *OUTCOMES)
    rows = {name: np.array([one.rows[name] for one in lived]).reshape(-1, design.intensities) for name in names}
    costs = {name: np.array([one.costs[name] for one in lived]) for name in COSTS}
    if begun is not None:
        before = {"d": begun.d, "e": begun.e, **begun.outcomes}
        rows = {name: np.concatenate([before[name], rows[name]]) for name in names}
        costs = {name: np.concatenate([begun.costs[name], costs[name]]) for name in COSTS}
        made, labels = begun.made, begun.labels
    else:
        labels = {"scenario": design.scenario.name}
        made = Made(
            scenario=design.scenario.digest(),
            seed=design.scenario.seed,
            days=design.scenario.days,
            firms=lived[0].firms,
            axis=design.axis,
            window=design.window,
            unit="firm-days of capacity lost" if lived[0].damages else "firm-days at full severity",
            version=version("ecosim"),
        )
    full = float(rows["firm_days"][:, -1].mean())
    if full <= 0 and whole:
        raise InputError(
            f"{design.scenario.name}: shocks: they took nothing from anybody in {made.days} days of {len(rows['d'])} "
            "replicates; give them a severity, an earlier day, or other firms"
        )
    x = (full if full > 0 else 1.0) * np.linspace(0.0, 1.0, design.intensities)
    outcomes = {name: rows[name] for name in OUTCOMES}
    return Responses(x, rows["d"], rows["e"], outcomes, costs, labels, made, _remarks(design, rows, full))


def _remarks(design: Design, rows: dict[str, Array], full: float) -> tuple[str, ...]:
    """What a reader must know before believing the rest."""
    told = []
    d, taken = rows["d"], rows["firm_days"].mean(axis=0)
    if len(d) > 1 and np.ptp(d, axis=0).max() == 0.0:
        told.append(
            "All replicates are equal: nothing in this scenario is left to chance, so intervals have no width and "
            "counting replicates means nothing."
        )
    even = full * np.linspace(0.0, 1.0, design.intensities)
    apart = np.abs(taken - even)
    if full > 0 and apart.max() > LINEAR * full:
        at = int(apart.argmax())
        told.append(
            f"Firm-days taken do not grow in step with the intensity: at x = {even[at]:.4g} shocks took "
            f"{taken[at]:.4g}, because of how they pass."
        )
    return tuple(told)
