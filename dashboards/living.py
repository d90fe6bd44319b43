"""Living what a page asks for, in a worker process: runs side by side as blocks, or one by one beside their twins."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim import Ecosystem, InputError, Scenario

from .network.encode import CELLS_FROM, Recording
from .worlds import Answer, Choice, Event, Own, back, firms_of, plain, refuse_too_much, runs_of, scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ecosim.blueprint import Blueprint
    from ecosim.lineage.story import Story
    from ecosim.resilience.blocks import Blocks

    from .network.scene import Scene

    type Array = NDArray[np.float64]
    type Report = Callable[[float], None]

KEPT_TWINS = 64
KEPT_FIRMS = 100_000  # in economies that are kept ready: those of a class in which everybody has a seed of their own
KEPT_STORIES = 2
STRIKES_TOLD = 4  # days of one shock that are marked each; more are told by the first
HALF = 0.5


class Cancelled(Exception):  # noqa: N818 - no error: somebody asked for it
    """The page no longer wants to know."""


def nobody(done: float) -> None:
    """Report to nobody."""


def answer(choice: Choice, own: Own | None = None, report: Report = nobody) -> Answer:
    """Live a choice. ``report(done)`` hears the share done, and may raise `Cancelled`.

    Raises InputError for what cannot be lived, and for more than a server for many can live.
    """
    began = time.perf_counter()
    of = scenario(choice, own)
    runs = runs_of(of, choice.runs)
    refuse_too_much(of, runs)
    lived = _side_by_side(of, runs, report) if plain(of) else _one_by_one(of, runs, report)
    if not np.isfinite(lived.made).all():
        raise InputError(
            "In this world the undisturbed twin makes nothing on some days; there is nothing to compare with."
        )
    return Answer(
        choice=choice,
        title=of.name,
        firms=lived.firms,
        made=lived.made,
        sold=lived.sold,
        hurt=lived.hurt,
        lost=lived.lost,
        worst=100.0 - lived.made.min(axis=0),
        failed=lived.failed,
        events=_events(of, lived),
        frames=tuple(one.frames() for one in lived.recordings),
        struck=tuple(one.struck(rows) for one, rows in zip(lived.recordings, lived.struck, strict=True)),
        remarks=tuple(dict.fromkeys(lived.remarks)),
        closures=lived.closures,
        seconds=time.perf_counter() - began,
    )


@dataclass
class _Lived:
    """What was lived, before it is put into words; see `worlds.Answer`."""

    firms: int
    made: Array
    sold: Array
    hurt: Array
    lost: Array
    failed: Array
    recordings: list[Recording]
    struck: list[NDArray[np.int64]]
    strikes: list[tuple[str, list[int]]]
    remarks: list[str]
    closures: tuple[int, int] | None = None


# --- side by side ----------------------------------------------------------------------------------------------------


def _side_by_side(of: Scenario, runs: int, report: Report) -> _Lived:
    from ecosim.resilience.blocks import BlockEconomy, strikes

    economy = built(of, runs)
    n = economy.firms
    shocks: Any = of.shocks  # plain() let only hits through
    entries: Any = strikes(shocks, economy, of)
    eco = BlockEconomy(_policies_by_block(of, economy), economy, entries)
    firms = eco.world.firms
    usual = firms.output.copy()
    recorded = _recorders(economy, usual, of.days)
    hurt = np.zeros((of.days, runs))
    for day in range(of.days):
        eco.run_for(1)
        for rows, recording in recorded:
            recording.note(day, firms.production[rows])
        hurt[day] = economy.by_block((firms.production < HALF * usual).astype(np.float64)).mean(axis=1)
        if day % 8 == 0:
            report((day + 1) / of.days)
    calm = economy.by_block(usual).sum(axis=1)
    asked = economy.by_block(economy.whole.firms.final_demand).sum(axis=1)
    return _Lived(
        firms=n,
        made=100.0 * eco.made / calm,
        sold=100.0 * eco.sold / asked,
        hurt=100.0 * hurt,
        lost=100.0 * (1.0 - eco.made.sum(axis=0) / (of.days * calm)),
        failed=100.0 * economy.by_block((firms.failed_on >= 0).astype(np.float64)).mean(axis=1),
        recordings=_by_run(recorded, economy),
        struck=[_rows_between(entries, run * n, (run + 1) * n) for run in range(runs)],
        strikes=[
            (shock.label, _days(one["day"][(one["first"] > 0) & (one["rows"] < n)]))
            for shock, one in zip(shocks, entries, strict=True)
        ],
        remarks=list(eco.world.remarks),
    )


def _recorders(economy: Blocks, usual: Array, days: int) -> list[tuple[slice, Recording]]:
    """Who notes which rows: one recorder for all runs, or one each where cells are noted and no firms."""
    if economy.firms <= CELLS_FROM:
        return [(slice(None), Recording(usual, None, np.zeros((days, len(usual)), dtype=np.uint8)))]
    rows = [slice(run * economy.firms, (run + 1) * economy.firms) for run in range(len(economy.parts))]
    return [(of, Recording.of(part, days, usual[of])) for of, part in zip(rows, economy.parts, strict=True)]


def _by_run(recorded: list[tuple[slice, Recording]], economy: Blocks) -> list[Recording]:
    if economy.firms > CELLS_FROM:
        return [recording for _, recording in recorded]
    whole, n = recorded[0][1], economy.firms
    of = [slice(run * n, (run + 1) * n) for run in range(len(economy.parts))]
    return [Recording(whole.usual[rows], None, whole.codes[:, rows]) for rows in of]


def built(of: Scenario, runs: int) -> Blocks:
    """Economies of a scenario, one a run, kept for the next question: stocks and spare capacity are no part of them."""
    bare = {"inventory_days": 15.0, "smoothing_days": 6.0, "headroom": 0.0}
    economy = of.economy.model_copy(update=bare)
    key = (repr(economy), repr(of.network), of.seed, runs)
    if key not in _built:
        from ecosim.resilience.blocks import blocks

        _built[key] = blocks(economy, of.network, seed=of.seed, replicates=runs)
    found: Blocks = _recent(_built, key, max(1, KEPT_FIRMS // (runs * firms_of(of))))
    return found


_built: OrderedDict[Any, Any] = OrderedDict()


def _recent(kept: OrderedDict[Any, Any], key: Any, most: int) -> Any:
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
    return kept[key]


def _policies_by_block(of: Scenario, economy: Blocks) -> Scenario:
    """The scenario with each policy's firms chosen in every block as they would be there alone."""
    from ecosim.rng import Streams
    from ecosim.state import World
    from ecosim.who import Who

    policies: tuple[Any, ...] = of.policies
    if all(policy.who == Who() for policy in policies):
        return of
    names = economy.whole.names
    chosen: list[list[str]] = [[] for _ in policies]
    for run, part in enumerate(economy.parts):
        streams = Streams(of.seed, run)
        world = World.at_rest(part, streams, {"inventory_days": 1.0, "smoothing_days": 6.0})
        for at, policy in enumerate(policies):
            rows = policy.who.pick(world, streams[f"policy: {policy.label}"], f"policies.{at}.who")
            chosen[at] += [names[row + run * economy.firms] for row in rows]
    found = [
        policy.model_copy(update={"who": Who(firms=tuple(who))}) for policy, who in zip(policies, chosen, strict=True)
    ]
    return of.model_copy(update={"policies": tuple(found)})


def _rows_between(entries: list[dict[str, Any]], low: int, high: int) -> NDArray[np.int64]:
    """Rows struck by any shock, of one block, counted from its first firm."""
    struck = [one["rows"][one["first"] > 0] for one in entries]
    rows = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *struck]))
    return rows[(rows >= low) & (rows < high)] - low


def _days(of: NDArray[Any]) -> list[int]:
    return [int(day) for day in np.unique(of)]


# --- one by one ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Calm:
    """What is kept of a twin: output, sales and firms below half by day, and who ever was; closures."""

    made: Array
    sold: Array
    failing: Array
    failed: float
    closures: int


_calm: OrderedDict[Any, Any] = OrderedDict()


def _one_by_one(of: Scenario, runs: int, report: Report) -> _Lived:
    from ecosim.result import closures

    found: list[tuple[Any, ...]] = []
    recordings: list[Recording] = []
    struck: list[NDArray[np.int64]] = []
    strikes: list[tuple[str, list[int]]] = []
    remarks: list[str] = []
    closed = [0, 0]
    n = 0
    for run in range(runs):
        eco = Ecosystem(of, replicate=run)
        n = eco.world.firms.rows
        calm = _twin(of, eco, run, _part(report, run, runs))
        recording = Recording.of(eco.world.plan, of.days, eco.world.firms.output.copy())
        _live(eco, recording, _part(report, run + 0.5, runs))
        series = eco.series.loc[0:]
        made, sold = series["total_production"].to_numpy(), series["final_consumption"].to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = 100.0 * made / calm.made, 100.0 * sold / calm.sold
        hurt = 100.0 * (series["firms_failing"].to_numpy() - calm.failing) / n
        failed = 100.0 * (float((eco.world.firms.failed_on >= 0).mean()) - calm.failed)
        found.append((*shares, hurt, 100.0 * (1.0 - made.sum() / calm.made.sum()), failed))
        recordings.append(recording)
        kept: Any = [(shock.label, eco.world.memory.get(shock.label, {})) for shock in of.shocks]  # type: ignore[attr-defined]
        entries = [one for _, one in kept if "first" in one]
        struck.append(_rows_between(entries, 0, n))
        if run == 0:
            strikes = [(label, _days(one["day"][one["first"] > 0])) for label, one in kept if "first" in one]
            remarks = list(eco.world.remarks)
        closed[0] += closures(eco)
        closed[1] += calm.closures
    made_, sold_, hurt_, lost, failed_ = (np.stack([one[at] for one in found], axis=-1) for at in range(5))
    return _Lived(n, made_, sold_, hurt_, lost, failed_, recordings, struck, strikes, remarks, (closed[0], closed[1]))


def _part(report: Report, begin: float, runs: int) -> Report:
    """Report of half a run that begins at so many of all."""
    return lambda done: report((begin + 0.5 * done) / runs)


def _twin(of: Scenario, eco: Ecosystem, run: int, report: Report) -> _Calm:
    """The undisturbed twin of a run, kept: another shock on the same world has the same one."""
    from ecosim.result import closures

    key = of.with_({"shocks": [], "policies": []}).digest(), run
    if key not in _calm:
        twin = eco.twin()
        _live(twin, None, report)
        series = twin.series.loc[0:]
        _calm[key] = _Calm(
            series["total_production"].to_numpy(),
            series["final_consumption"].to_numpy(),
            series["firms_failing"].to_numpy().astype(np.float64),
            float((twin.world.firms.failed_on >= 0).mean()),
            closures(twin),
        )
    found: _Calm = _recent(_calm, key, KEPT_TWINS)
    return found


def _live(eco: Ecosystem, recording: Recording | None, report: Report) -> None:
    firms, days = eco.world.firms, eco.scenario.days
    for day in range(days):
        eco.run_for(1)
        if recording is not None:
            recording.note(day, firms.production, firms.columns.get("alive"))
        if day % 8 == 0:
            report((day + 1) / days)


# --- events ----------------------------------------------------------------------------------------------------------


def _events(of: Scenario, lived: _Lived) -> tuple[Event, ...]:
    """Strikes of the first run, and the turning points of the mean over runs."""
    found: list[Event] = []
    for name, struck in lived.strikes:
        days = [day for day in struck if day < of.days]
        if len(days) <= STRIKES_TOLD:
            found += [Event(day, name) for day in days]
        elif days:
            found.append(Event(days[0], f"{name}: first of {len(days)} days"))
    mean = lived.made.mean(axis=1)
    worst = int(np.argmin(mean))
    if mean[worst] < 99.5:
        found.append(Event(worst, "worst day", "low"))
        if (day := back(mean)) >= 0:
            found.append(Event(day, "back within 1 %", "back"))
    return tuple(sorted(found, key=lambda event: event.day))


# --- the network of a run, and one firm's story ----------------------------------------------------------------------


def scene(choice: Choice, own: Own | None, run: int, arranged: str) -> Scene:
    """Firms of a run laid out, with their links; beyond `encode.CELLS_FROM` firms the cells, sector by region."""
    from .network.scene import Scene

    return Scene.of(_plan(choice, own, run), arranged)


def _plan(choice: Choice, own: Own | None, run: int) -> Blueprint:
    from ecosim.build import build
    from ecosim.rng import Streams

    of = scenario(choice, own)
    return build(of.economy, of.network, Streams(of.seed, run))


@dataclass(frozen=True)
class Told:
    """A firm's numbers, as (what, value) in words, and its story, a sentence a line."""

    firm: str
    numbers: tuple[tuple[str, str], ...]
    story: tuple[str, ...]


def told(choice: Choice, own: Own | None, run: int, row: int, report: Report = nobody) -> Told:
    """What happened to a firm in a run, and where it came from: the run is lived again with every cause noted."""
    story = _story(choice, own, run, report)
    line = story.result.firms.iloc[row]
    name = str(line["firm"])
    usual, days = float(line["output"]), int(story.result.summary["days"])
    numbers = [
        ("Sector", str(line["sector"])),
        ("Region", str(line["region"])),
        ("Usual output", f"{usual:,.0f} a day"),
        ("Suppliers, clients", f"{int(line['suppliers'])}, {int(line['clients'])}"),
        ("Output lost", f"{float(line['lost']):,.0f} in {days} days ({float(line['lost_percent']):.1f} %)"),
        ("Lowest day", f"{100.0 * float(line['lowest']):.0f} % of usual"),
    ]
    if line["failed_on"] >= 0:
        numbers.append(("Below half since", f"day {int(line['failed_on'])}"))
    return Told(name, tuple(numbers), tuple(story.of_firm(name)))


_stories: OrderedDict[Any, Any] = OrderedDict()


def _story(choice: Choice, own: Own | None, run: int, report: Report) -> Story:
    from ecosim.lineage.story import Story
    from ecosim.paired import finish

    key = choice, own, run
    if key not in _stories:
        of = scenario(choice, own)
        result = finish(Ecosystem(of, replicate=run), progress=lambda done, days: report(done / days))
        _stories[key] = Story(result)
    found: Story = _recent(_stories, key, KEPT_STORIES)
    return found


@lru_cache(maxsize=1)
def warm() -> bool:
    """Load and compile what the first question would wait for."""
    answer(Choice(days=30, runs=2))
    scene(Choice(), None, 0, "trade")
    return True
