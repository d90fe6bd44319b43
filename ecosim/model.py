"""The ecosystem: a Mesa model whose day reads like the paper it comes from."""

from __future__ import annotations

import operator
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np

from ecosim import goods
from ecosim.agents import CORE_DECISIONS, DECISIONS, DECISIONS_OF, SMB, Customer, Firm, Supplier
from ecosim.build import build
from ecosim.choices import Choices, is_number, told
from ecosim.config import Scenario, find
from ecosim.economies.economy import Economy
from ecosim.errors import InputError, hint
from ecosim.mechanisms.mechanism import PHASES, SEQUENCE, Mechanism
from ecosim.metrics import standard
from ecosim.metrics.metric import Metric
from ecosim.networks.wiring import Network
from ecosim.own import BEFORE, call, contradiction, refuse_unfit
from ecosim.policies.policy import Policy
from ecosim.rng import Streams
from ecosim.rows import Roster, Rows
from ecosim.shocks.shock import Shock
from ecosim.spread import per_firm
from ecosim.state import GIVEN_UP, OUT_OF_CASH, World

if TYPE_CHECKING:
    from collections.abc import Mapping

    import networkx as nx
    import pandas as pd
    from numpy.typing import NDArray

    from ecosim.agents import ColumnAgent
    from ecosim.blueprint import Blueprint
    from ecosim.rng import Stream
    from ecosim.who import Who

#: What mechanisms say to the morning, beside what shocks and policies say.
MECHANISM_CHANNELS = {
    "capability": "what a firm can make with its means, share of its potential",
    "relief": "how much of today's damage still hurts, share",
}
#: Names under which the world remembers other things, or closes firms for other reasons.
RESERVED = frozenset({*SEQUENCE, "lineage", OUT_OF_CASH, GIVEN_UP})
FAILING_COLUMN = "firms_failing"
FAILING = 0.5  # share of baseline output below which a firm counts as failing


class Ecosystem(mesa.Model):  # type: ignore[type-arg]
    """An economy of small businesses, day by day.

    ``rng`` is the seed (the scenario's by default) or a numpy Generator to draw one from; ``blueprint`` is an economy
    already built from the same scenario, to share between runs; ``agents`` maps classes of yours to the firms that
    follow them (a ``Who``, or None for all); ``threads`` speeds up large economies and changes no bit of the result.
    """

    def __init__(
        self,
        scenario: Scenario | None = None,
        *,
        rng: int | np.integer[Any] | np.random.Generator | None = None,
        blueprint: Blueprint | None = None,
        agents: Mapping[type[Firm], Who | None] | None = None,
        threads: int = 1,
        replicate: int = 0,
    ) -> None:
        chosen = scenario if scenario is not None else Scenario()
        _check(chosen, threads)
        seed = _seed(chosen.seed if rng is None else rng)
        super().__init__(rng=seed)
        self._scenario: Scenario = chosen
        self.seed, self.replicate, self.threads = seed, int(replicate), int(threads)
        streams = Streams(seed, replicate)
        plan = blueprint if blueprint is not None else build(chosen.economy, chosen.network, streams)
        _check_places(chosen, plan.firms.region_names)
        self.world = World.at_rest(
            plan,
            streams,
            {"inventory_days": _cover(chosen, plan, streams), "smoothing_days": chosen.economy.smoothing_days},
            chosen.economy.headroom,
        )
        self.world.horizon = chosen.days
        self._switch_on(chosen)
        self._enrol(dict(agents or {}))
        self._metrics: dict[str, Metric] = _metrics(chosen, self.world.mechanisms)
        self._series = np.full((chosen.days + 1, len(self._metrics) + 1), np.nan)
        self._events_of(chosen)
        for family, named in (("shocks", self._shocks), ("policies", self._policies)):
            for at, (part, stream) in enumerate(named):
                call(part, "prepare", f"{family}.{at}", self.world, stream, f"{family}.{at}")
        self._measure(failing=0)

    def _switch_on(self, scenario: Scenario) -> None:
        """Let mechanisms add what they keep, in the order in which they act."""
        world, parts = self.world, _in_sequence(scenario)
        streams = {part.kind: world.streams[f"mechanism: {part.kind}"] for part in parts}
        world.mechanisms = {part.kind: part for part in parts}
        paths = {part.kind: f"mechanisms.{scenario.mechanisms.index(part)}" for part in parts}
        world.sheet.opener = opener
        for part in parts:
            for channel, meaning in {**MECHANISM_CHANNELS, **part.channels}.items():
                world.sheet.open(channel, meaning)
        for what in BEFORE:
            for part in parts:
                call(part, what, paths[part.kind], world, streams[part.kind])
        self._phases: dict[str, list[tuple[Any, Any]]] = {
            phase: [
                (partial(self._let, part, phase, paths[part.kind]), streams[part.kind])
                for part in parts
                if hasattr(part, phase)
            ]
            for phase in PHASES
        }

    def _resume(self, scenario: Scenario) -> None:
        """Take up a scenario whose shocks and policies are under way; their memory comes from a saved state."""
        self._scenario = scenario
        self._metrics = _metrics(scenario, self.world.mechanisms)
        self._events_of(scenario)

    def _events_of(self, scenario: Scenario) -> None:
        """What befalls firms and what is done about it, each with a stream of its own."""
        _refuse_namesakes(scenario)
        streams, shocks, policies = self.world.streams, scenario.shocks, scenario.policies
        self._shocks: list[tuple[Any, Stream]] = _paired(shocks, "shock", streams)
        self._policies: list[tuple[Any, Stream]] = _paired(policies, "policy", streams)

    # --- the day ------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """One day: damage, stocks, orders, demand, production, rationing (Inoue & Todo 2019); mechanisms between."""
        self.world.day += 1
        self._morning()
        self.decide("expect")
        self._phase("expect")
        self._buy()
        self._phase("order")
        goods.cut(self.world)
        self._sell()
        goods.withhold(self.world)
        self._phase("trade")
        self._phase("settle")
        self._phase("evening")
        self._evening()

    def _phase(self, name: str) -> None:
        """What mechanisms do between two steps of the core."""
        for act, stream in self._phases[name]:
            act(self.world, stream)

    @staticmethod
    def _let(part: Mechanism, phase: str, path: str, world: World, stream: Stream) -> None:
        """Let a mechanism act in its own name."""
        world.sheet.writer = part.kind
        call(part, phase, path, world, stream)

    def _morning(self) -> None:
        """Today's sheet: neutral, then written by shocks, policies and mechanisms; it makes capacities and wants."""
        world, sheet = self.world, self.world.sheet
        stale = sheet.reset()
        for sheet.writer, (shock, stream) in enumerate(self._shocks):
            call(shock, "apply", f"shocks.{sheet.writer}", world, stream)
        for at, (policy, stream) in enumerate(self._policies):
            sheet.writer = policy.place
            call(policy, "apply", f"policies.{at}", world, stream)
        self._phase("morning")
        firms = world.firms.columns
        if world.mechanisms or "alive" in firms:
            self._capacity()
            np.multiply(firms["final_demand"], sheet.multipliers["demand"], out=firms["wanted"])
            return
        for channel, today, base in (("capacity", "capacity", "potential"), ("demand", "wanted", "final_demand")):
            if channel in stale or channel in sheet.written:
                np.multiply(firms[base], sheet.multipliers[channel], out=firms[today])

    def _capacity(self) -> None:
        """What is left of a firm's means today, where mechanisms add to the firm's capability and relieve damage."""
        firms, sheet = self.world.firms.columns, self.world.sheet
        left = sheet.multipliers["capacity"]
        if sheet.read("relief") is not None:
            left = np.maximum(1.0 - (1.0 - left) * sheet.multipliers["relief"], 0.0)  # a pulse may make damage worse
        np.multiply(firms["potential"], left, out=firms["capacity"])
        if sheet.read("capability") is not None:
            firms["capacity"] *= sheet.multipliers["capability"]
        if "alive" in firms:
            firms["capacity"] *= firms["alive"]

    def _buy(self) -> None:
        """Stocks take in what was delivered and give what was used; firms order."""
        firms, links = self.world.firms.columns, self.world.links
        on_the_road = goods.receive(self.world)
        self._kernels()[0](
            links.ptr, links.product, links.importance, links.flow, links.stock, links.delivered, links.ordered,
            firms["production"], firms["output"], firms["expected"], self._cover_aimed_at(),
            firms["smoothing_days"], firms["ceiling"],
        )  # fmt: skip
        if on_the_road:
            self._order(*goods.on_hand_and_on_the_way(self.world))
        self._own_orders(self._own["order"])

    def _sell(self) -> None:
        """Firms make what is asked for, as far as they can, and ration it."""
        firms, links = self.world.firms.columns, self.world.links
        self._kernels()[1](
            links.out_ptr, links.out_link, links.out_flow, links.ordered, links.delivered, firms["capacity"],
            firms["ceiling"], firms["final_demand"], firms["wanted"], self.scenario.economy.rationing,
            firms["demand"], firms["production"], firms["consumption"], firms["lost"],
        )  # fmt: skip

    def _evening(self) -> None:
        """Records of firms and people, the day's metrics, and whether this was the last day."""
        from ecosim.kernels.records import keep

        world = self.world
        firms, people = world.firms.columns, world.customers.columns
        failing = keep(
            world.day, FAILING, firms["production"], firms["output"], firms["consumption"], firms["wanted"],
            world.plan.customer, firms["produced"], firms["lowest"], firms["failed_on"],
            people["spent"], people["unmet"],
        )  # fmt: skip
        self._measure(failing)
        self.running = world.day + 1 < self.scenario.days

    # --- decisions ----------------------------------------------------------------------------------------------

    def decide(self, decision: str, rows: NDArray[np.int64] | None = None) -> None:
        """Let firms decide: compiled for those that keep the stock rule, in Python for those that override it."""
        if decision not in CORE_DECISIONS:
            raise ValueError(f"no decision {decision!r} to make at will; firms make {', '.join(CORE_DECISIONS)}")
        world = self.world
        firms, links = world.firms, world.links
        if rows is not None:
            rows = rows[rows < firms.rows]
        own = self._own[decision] if rows is None else rows[np.isin(rows, self._own[decision])]
        if decision == "expect":
            at: Any = slice(None) if rows is None else rows
            before = firms.expected[own]
            firms.expected[at] = firms.production[at]
            firms.expected[own] = before  # a firm of your own class may build on its last plan
            if "alive" in firms:
                firms.expected[:] *= firms.alive  # who is out of business plans for nothing, and so orders nothing
            for row in self._open(own).tolist():
                firms.expected[row] = world.choices.amount("expect", row)
            return
        everyone = np.arange(firms.rows) if rows is None else rows
        self._order(everyone, links.stock)
        self._own_orders(own)

    def _order(self, rows: NDArray[np.int64], stock: NDArray[np.float64]) -> None:
        """Orders of some firms by the stock rule, from what each link holds."""
        firms, links = self.world.firms, self.world.links
        self._kernels()[2](
            rows, links.ptr, links.flow, stock, firms.output, firms.expected,
            self._cover_aimed_at(), firms.smoothing_days, links.ordered, links.delivered,
        )  # fmt: skip

    def _cover_aimed_at(self) -> NDArray[np.float64]:
        """Stock that each firm aims at today, days of use, shape (n,)."""
        usual: NDArray[np.float64] = self.world.firms.inventory_days
        today = self.world.sheet.read("buffer")
        return usual if today is None else usual * today

    def _open(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of some firms that are in business: the others decide nothing."""
        alive = self.world.firms.columns.get("alive")
        return rows if alive is None else rows[alive[rows] > 0.0]

    def _own_orders(self, rows: NDArray[np.int64]) -> None:
        links, choices = self.world.links, self.world.choices
        for row in self._open(rows).tolist():
            start, end = int(links.ptr[row]), int(links.ptr[row + 1])
            answer = choices.ask("order", row)
            try:
                amounts = np.asarray(answer, dtype=np.float64)
            except (TypeError, ValueError, OverflowError):
                amounts = np.array(np.nan)
            if amounts.shape != (end - start,) or not (np.isfinite(amounts).all() and (amounts >= 0).all()):
                wanted = f"{end - start} finite amounts of at least 0, one for each supplier"
                raise choices.wrong("order", row, answer, wanted)
            links.ordered[start:end] = amounts
            links.delivered[start:end] = amounts

    def _enrol(self, agents: dict[type[Firm], Who | None]) -> None:
        """Give every row its class, and Mesa its sets of agents."""
        world = self.world
        firms, rows = world.firms.rows, world.firms.rows + world.customers.rows
        classes: list[type[ColumnAgent]] = [SMB, Supplier, Customer]
        kind = np.full(rows, 2, dtype=np.int16)
        kind[:firms] = world.plan.firms.role
        wanted = [(cls, who, f"agents[{cls.__name__}]") for cls, who in agents.items()]
        for at, own in enumerate(self.scenario.economy.agents):
            wanted.append((class_named(own.type, f"economy.agents.{at}.type"), own.who, f"economy.agents.{at}.who"))
        for at, (cls, who, where) in enumerate(wanted):
            if not (isinstance(cls, type) and issubclass(cls, Firm)):
                place = where.replace(".who", ".type")
                raise InputError(f"{place}: {cls!r} is not a subclass of ecosim.SMB or ecosim.Supplier")
            base = next(place for place, stock in enumerate((SMB, Supplier, Firm)) if issubclass(cls, stock))
            chosen = np.arange(firms)
            if who is not None:
                chosen = who.pick(world, world.streams[f"agents {at}: {cls.__module__}:{cls.__qualname__}"], where)
            elif base < 2:
                chosen = np.flatnonzero(world.plan.firms.role == base)
            kind[chosen] = len(classes)
            classes.append(cls)
        self._enrol_as(classes, kind)

    def _enrol_as(self, classes: list[type[ColumnAgent]], kind: NDArray[np.int16]) -> None:
        rows = len(kind)
        self.roster = Roster(self, self.world, classes, kind)
        self._own = {decision: self.roster.overriding(decision) for decision in DECISIONS}
        for decision, mechanism in DECISIONS_OF.items():
            if len(self._own[decision]) and mechanism not in self.world.mechanisms:
                cls = classes[kind[self._own[decision][0]]]
                raise InputError(
                    f"{cls.__name__}.{decision}() would never be asked: that decision belongs to {mechanism}; "
                    f"add {{kind: {mechanism}}} to mechanisms"
                )
        self.world.choices = Choices(self._own, self.roster.agent, self.roster.forget)
        everyone: Any = Rows(np.arange(rows), self.random, roster=self.roster)
        self._all_agents = everyone
        by_type: dict[Any, Any] = {
            cls: Rows(np.flatnonzero(kind == at), self.random, roster=self.roster)
            for at, cls in enumerate(classes)
            if at < len(Roster.stock_classes) or (kind == at).any()
        }
        self._agents_by_type = by_type

    def agent(self, row: int) -> Any:
        """Return the agent of a row: firms first, then communities of customers."""
        return self.roster.agent(row)

    # --- what can be read ----------------------------------------------------------------------------------------

    @property
    def scenario(self) -> Scenario:
        """What this economy was made from."""
        return self._scenario

    @scenario.setter
    def scenario(self, scenario: Any) -> None:
        """Ignore the scenario that Mesa makes for models without one."""

    @property
    def has_own_decisions(self) -> bool:
        """Whether any firm follows a class that overrides a decision."""
        return any(len(rows) for rows in self._own.values())

    @property
    def day(self) -> int:
        """The day just lived, 0 the first; -1 at rest before it."""
        return self.world.day

    def _measure(self, failing: int) -> None:
        at = self.world.day + 1
        if at >= len(self._series):
            self._series = np.vstack([self._series, np.full_like(self._series, np.nan)])
        usual = len(self._metrics) - len(self.scenario.metrics)
        for place, (name, metric) in enumerate(self._metrics.items()):
            value = call(metric, "measure", f"metrics.{place - usual}", self.world)
            if not is_number(value):
                raise InputError(
                    f"metric {name!r} on day {self.world.day} gave {told(value)}; it must return a finite number"
                )
            self._series[at, place] = value
        self._series[at, -1] = failing

    @property
    def series(self) -> pd.DataFrame:
        """Metrics of every day so far, indexed by day; day -1 is the economy at rest."""
        import pandas as pd

        days = self.world.day + 2
        frame = pd.DataFrame(self._series[:days], columns=[*self._metrics, FAILING_COLUMN])
        frame.index = pd.RangeIndex(-1, days - 1, name="day")
        return frame.astype({FAILING_COLUMN: "int64"})

    def twin(self) -> Ecosystem:
        """Return the same economy with the same randomness, at rest, without any shock and without any policy."""
        calm = type(self)(
            self.scenario.with_({"shocks": [], "policies": []}),
            rng=self.seed,
            blueprint=self.world.plan,
            threads=self.threads,
            replicate=self.replicate,
        )
        calm._enrol_as(list(self.roster.classes), self.roster.kind.copy())
        return calm

    def graph(self) -> nx.DiGraph[Any]:
        """The economy today as a directed graph of supplier -> client and firm -> community, with all attributes."""
        from ecosim.border import to_networkx

        return to_networkx(self)

    def save(self, path: Any) -> None:
        """Write the whole state to one file, from which ``restore`` continues to the bit."""
        from ecosim.snapshot import save

        save(self, path)

    @classmethod
    def restore(cls, path: Any, *, allow_code: bool = False) -> Ecosystem:
        """Continue from a file written by ``save``; ``allow_code`` lets it import classes of your own."""
        from ecosim.snapshot import restore

        return restore(cls, path, allow_code=allow_code)

    def _kernels(self) -> Any:
        from ecosim.kernels.day import day_kernels

        if self.threads > 1:
            import numba

            # Threads are a setting of the whole process, so every model sets its own before it works.
            numba.set_num_threads(min(self.threads, int(numba.config.NUMBA_NUM_THREADS)))  # type: ignore[attr-defined]
        return day_kernels(self.threads > 1)


def _cover(scenario: Scenario, plan: Blueprint, streams: Streams) -> NDArray[np.float64]:
    """Stock that each firm aims at, days of use, shape (n,)."""
    try:
        return per_firm(scenario.economy, "inventory_days", streams["economy: inventory_days"], plan.firms)
    except InputError as error:
        raise InputError(f"economy.{error}") from None


def _seed(given: int | np.integer[Any] | np.random.Generator) -> int:
    if isinstance(given, np.random.Generator):
        return int(given.integers(2**63 - 1))
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)):
        raise TypeError(f"rng = {given!r}; give a seed (a whole number of at least 0) or a numpy Generator")
    if given < 0:
        raise InputError(f"rng = {given}; give a seed of at least 0")
    return int(given)


def _check_places(scenario: Scenario, regions: tuple[str, ...]) -> None:
    """Refuse communities of regions that the economy does not have; one that is imported says only now which it has."""
    for name in scenario.communities:
        if name not in regions:
            raise InputError(f"communities: no region is named {name!r}; {hint(name, regions)}")


def _check(scenario: object, threads: int) -> None:
    """Refuse what would be ignored, or fail only in the middle of a run."""
    if not isinstance(scenario, Scenario):
        raise TypeError(f"{scenario!r} is not a Scenario; ecosim.load(path) reads one from a file")
    if threads < 1:
        raise InputError(f"threads = {threads}; give at least 1")
    families: list[tuple[str, Any, type]] = [
        ("economy", scenario.economy, Economy),
        ("network", scenario.network, Network),
        *((f"mechanisms.{at}", part, Mechanism) for at, part in enumerate(scenario.mechanisms)),
        *((f"shocks.{at}", shock, Shock) for at, shock in enumerate(scenario.shocks)),
        *((f"policies.{at}", policy, Policy) for at, policy in enumerate(scenario.policies)),
        *((f"metrics.{at}", metric, Metric) for at, metric in enumerate(scenario.metrics)),
    ]
    for path, part, base in families:
        if not isinstance(part, base):
            home = f"{base.__module__}.{base.__name__}"
            raise InputError(
                f"{path}.kind: {type(part).__name__} does not do what is needed here; derive it from {home}"
            )


def _in_sequence(scenario: Scenario) -> list[Mechanism]:
    """The scenario's mechanisms in the order in which they act; refuse twins, missing ones and contradictions."""
    parts: list[Any] = list(scenario.mechanisms)
    kinds = [part.kind for part in parts]
    on = frozenset(kinds)
    for at, part in enumerate(parts):
        refuse_unfit(part, f"mechanisms.{at}")
        if part.kind in kinds[:at]:
            first = kinds.index(part.kind)
            raise InputError(
                f"mechanisms.{at}.kind: {part.kind!r} is on already (mechanisms.{first}); drop one of them"
            )
        missing = [kind for kind in part.needs if kind not in on]
        if missing:
            raise InputError(
                f"mechanisms.{at}.kind: {part.kind} means nothing without {' and '.join(missing)}; "
                f"add {{kind: {missing[0]}}} or drop {part.kind}"
            )
        wrong = contradiction(part, on, f"mechanisms.{at}")
        if wrong is not None:
            raise InputError(wrong)
    return sorted(parts, key=lambda part: SEQUENCE.index(part.kind) if part.kind in SEQUENCE else len(SEQUENCE))


def opener(channel: str) -> str | None:
    """Built-in mechanism that opens a channel of the sheet, if any."""
    kinds: list[Any] = [find("mechanisms", kind) for kind in SEQUENCE]
    return next((kind for kind, part in zip(SEQUENCE, kinds, strict=True) if channel in part.channels), None)


def _metrics(scenario: Scenario, on: Mapping[str, Mechanism]) -> dict[str, Metric]:
    found: dict[str, Metric] = {}
    shocks: tuple[Any, ...] = scenario.shocks
    touched = [channel for shock in shocks for channel in shock.may_write()]
    usual: list[Any] = [find("metrics", kind)() for kind in standard(on, touched)]
    own: list[Any] = list(scenario.metrics)
    for at, metric in enumerate([*usual, *own], -len(usual)):
        if metric.kind in found or metric.kind == FAILING_COLUMN:
            raise InputError(
                f"metrics.{at}.kind: {metric.kind!r} is measured already; drop it, or name your own otherwise"
            )
        if metric.of is not None and metric.of not in on:
            raise InputError(
                f"metrics.{at}.kind: {metric.kind} is measured only where {metric.of} is on; "
                f"add {{kind: {metric.of}}} to mechanisms, or drop it"
            )
        found[metric.kind] = metric
    return found


def _paired(parts: Any, noun: str, streams: Streams) -> list[tuple[Any, Stream]]:
    """Each part with the stream of its name."""
    return [(part, streams[f"{noun}: {part.label}"]) for part in parts]


def _refuse_namesakes(scenario: Scenario) -> None:
    """Refuse two shocks or policies of one name: they would share their draws, and nobody could tell them apart."""
    taken: dict[str, str] = {}
    families: list[tuple[str, Any]] = [("shocks", scenario.shocks), ("policies", scenario.policies)]
    for family, parts in families:
        for at, part in enumerate(parts):
            path = f"{family}.{at}"
            if part.label in RESERVED:
                raise InputError(f"{path}.name: {part.label!r} means something else already; give it another name")
            if part.label in taken:
                raise InputError(f"{path}.name: {part.label!r} is taken by {taken[part.label]}; give it another name")
            taken[part.label] = path


def class_named(path: str, where: str) -> Any:
    """Import ``package.module:Name``; ``where`` is the place that names it, for the error text."""
    module, _, name = path.partition(":")
    try:
        return operator.attrgetter(name)(import_module(module))
    except (ImportError, AttributeError) as error:
        raise InputError(f"{where}: {path!r} cannot be imported ({error}); is its folder on PYTHONPATH?") from None
