"""When shocks strike: on a day, some day of a window, again and again by chance, after another shock, as recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, create_model, model_validator

from ecosim.errors import InputError
from ecosim.part import Part, by_kind
from ecosim.shocks.replay import Replay
from ecosim.shocks.strike import CHANCE, GIVEN, SPREAD, Strike, refuse_late
from ecosim.who.who import struck_before

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

YEAR = 365.0  # days
RUN_IN = 10.0  # times the memory of a crowd of strikes, after which how it began is forgotten (to e^-10)
MOST_EACH = 50_000  # strikes in a row, each of which waits for the one before
MOST = 20_000_000  # strikes that are drawn; more is a slip of the pen


class Gaps(NamedTuple):
    """Arrivals of several rows, one entry each, in no order."""

    at: Array
    """Place of the row among those asked for, shape (k,)."""
    day: Array
    """Day, shape (k,)."""
    number: Array
    """How many the row had before, shape (k,)."""


if TYPE_CHECKING:
    _Span = Part
else:  # "from" is a word of Python, and no name for a field in a class
    _Span = create_model(
        "_Span",
        __base__=Part,
        __doc__="The days from the one to the other, both of them included.",
        **{
            "from": (int, Field(ge=0, description="First day on which it may strike.")),
            "to": (int, Field(ge=0, description="Last day on which it may strike.")),
        },
    )


class _Between(_Span):
    @model_validator(mode="after")
    def _in_order(self) -> Self:
        first, last = self.ends
        if last < first:
            raise ValueError(f"to: {last} is before from, day {first}; give a later day")
        return self

    @property
    def ends(self) -> tuple[int, int]:
        """First and last day."""
        first, last = (getattr(self, name) for name in ("from", "to"))
        return int(first), int(last)


class Window(_Between):
    """One day, drawn from a window; each of its days has the same chance."""

    def strikes(self, world: World, stream: Stream, where: str) -> list[Strike]:
        """The one strike."""
        first, last = self.ends
        refuse_late(last, world, f"{where}.to")
        return [Strike(first + int(stream.integers(last - first + 1, 0, 0)), CHANCE)]


class Poisson(Part):
    """Strikes without memory: their number in a year is Poisson distributed, with mean ``per_year``."""

    model_config = ConfigDict(json_schema_extra=by_kind)

    kind: Literal["poisson"] = "poisson"
    per_year: float = Field(gt=0, le=10_000)
    """Mean number of strikes a year (365 days)."""
    each: Literal["economy", "firm"] = "economy"
    """Whether a strike hits all who are chosen (anew each time), or each of them is struck on days of its own."""

    @property
    def follow(self) -> tuple[float, float]:
        """How many strikes each one sets off itself, and within how many days on average."""
        return 0.0, 1.0

    def strikes(self, world: World, stream: Stream, where: str) -> list[Strike]:
        """Strikes of the whole economy, by day."""
        days = np.sort(self.gaps(np.zeros(1, np.int64), world.horizon, stream, where).day)
        return [Strike(day, CHANCE) for day in days.tolist()]

    def gaps(self, rows: Array, horizon: int, stream: Stream, where: str) -> Gaps:
        """Strikes of each row before day ``horizon``; each row has its own numbers, so more days only add strikes.

        Intensity mu + sum over earlier strikes of n b exp(-b (t - t_i)), drawn exactly (Dassios & Zhao 2013).
        """
        branching, memory = self.follow
        rate, decay = self.per_year / YEAR, 1.0 / memory
        run_in = RUN_IN * memory / (1.0 - branching) if branching else 0.0
        expected = len(rows) * rate / (1.0 - branching) * (horizon + run_in)
        if expected > MOST:
            raise InputError(f"{where}: that is about {expected:,.0f} strikes; lower per_year, or choose fewer firms")
        if expected > MOST_EACH * max(len(rows), 1):
            raise InputError(
                f"{where}: that is about {expected / max(len(rows), 1):,.0f} strikes in a row, most of them before day "
                "0; lower branching, memory_days or per_year"
            )
        nothing = np.empty(0, dtype=np.int64)
        found: list[tuple[Array, Array, Array]] = [(nothing, nothing, nothing)]
        at = np.arange(len(rows))
        time, excited = np.full(len(rows), -run_in), np.zeros(len(rows))
        number = 0
        while len(at):
            unset = -np.log1p(-stream.uniform(number, rows[at], draw=0)) / rate
            spent = -np.log1p(-stream.uniform(number, rows[at], draw=1))  # of what is excited, to the next strike
            whole = excited / decay
            with np.errstate(divide="ignore", invalid="ignore"):
                follows = np.where(spent < whole, -np.log1p(-spent / whole) / decay, np.inf)
            gap = np.minimum(unset, follows)
            time = time + gap
            excited = excited * np.exp(-decay * gap) + branching * decay
            now = (time >= 0.0) & (time < horizon)
            found.append((at[now], np.floor(time[now]).astype(np.int64), np.full(int(now.sum()), number)))
            on = time < horizon
            at, time, excited = at[on], time[on], excited[on]
            number += 1
        return Gaps(*(np.concatenate([part[place] for part in found]) for place in range(3)))


class Hawkes(Poisson):
    """Strikes that come in crowds: each sets off others for a while (Hawkes 1971).

    ``per_year`` strikes a year (mu) come by themselves, and each strike sets off n = ``branching`` more on average,
    after exponentially distributed times with mean ``memory_days``. So mu / (1 - n) come a year in all, and their
    number in a long while has a variance of 1 / (1 - n)^2 times its mean. Crowds are under way on day 0 already.
    """

    kind: Literal["hawkes"] = "hawkes"  # type: ignore[assignment]
    branching: float = Field(default=0.5, ge=0, lt=1)
    """Strikes that each strike sets off, on average: 0 none (Poisson), below 1."""
    memory_days: float = Field(default=10.0, gt=0, le=3650)
    """Mean days after which they come."""

    @property
    def follow(self) -> tuple[float, float]:
        """How many strikes each one sets off itself, and within how many days on average."""
        return self.branching, self.memory_days


class Sequence(_Between):
    """So many strikes from one day to another, evenly or in bursts: for stress tests of equal number and mean severity.

    With s and m the standard deviation and the mean of the days between strikes, burstiness is B = (s - m) / (s + m)
    (Goh & Barabasi 2008): -1 like a clock, 0 as by chance, towards 1 in bursts. The times between strikes are a power
    of exponential draws, the power chosen so that each sequence has exactly this B before times are cut to whole days:
    sequences of another B have the same draws, the same number, and the same severities in the same order.
    """

    model_config = ConfigDict(json_schema_extra=by_kind)

    kind: Literal["sequence"] = "sequence"
    events: int = Field(ge=3, le=10_000)
    """Number of strikes; the first falls on ``from``, the last on ``to``."""
    burstiness: float = Field(default=0.0, ge=-1, le=1)
    """-1 like a clock, 0 as by chance, towards 1 in bursts."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        root = np.sqrt(self.events - 2.0)  # the most that s / m can be between so many events
        most = float(np.floor(100.0 * (root - 1.0) / (root + 1.0) - 1.0)) / 100.0
        if self.burstiness > most:
            raise ValueError(
                f"burstiness: {self.burstiness:g} is more than {self.events} events can have; "
                f"give at most {most:g}, or more events"
            )
        return self

    def strikes(self, world: World, stream: Stream, where: str) -> list[Strike]:
        """All strikes, by day."""
        first, last = self.ends
        refuse_late(last, world, f"{where}.to")
        times = np.append(0.0, np.cumsum(self._gaps(stream)))
        days = first + np.rint((last - first) * times / times[-1]).astype(np.int64)
        return [Strike(day, CHANCE) for day in days.tolist()]

    def _gaps(self, stream: Stream) -> Array:
        from scipy.optimize import brentq

        gaps = self.events - 1
        if self.burstiness == -1.0:
            return np.ones(gaps)
        wanted = (1.0 + self.burstiness) / (1.0 - self.burstiness)
        logs = np.log(-np.log1p(-stream.uniform(0, np.arange(gaps))))
        logs -= logs.max()

        def off(power: float) -> float:
            times = np.exp(power * logs)
            return float(times.std() / times.mean()) - wanted

        high = 1.0
        while off(high) < 0.0:
            high *= 2.0
        times: Array = np.exp(brentq(off, 0.0, high, xtol=1e-14) * logs)
        return times


class After(Part):
    """So many days after each strike of another shock: compound events, and second hits while firms recover."""

    after: str = Field(min_length=1)
    """Name of a shock that stands before this one in the list."""
    days: int = Field(default=1, ge=0, le=100_000)
    """Days that pass in between."""

    def strikes(self, world: World, stream: Stream, where: str) -> list[Strike]:
        """One strike for each day on which the other strikes, not counting where that spreads by contagion."""
        kept = struck_before(world, self.after, f"{where}.after")
        days, at = np.unique(kept["day"][kept["origin"] != SPREAD], return_index=True)
        origin = kept["origin"][kept["origin"] != SPREAD][at]
        late = days + self.days >= world.horizon
        certain = late & (origin == GIVEN)
        if certain.any() and certain.sum() == len(days):
            refuse_late(int(days[0]) + self.days, world, where, f", {self.days} days after {self.after},")
        if late.any():
            world.remarks.append(
                f"{late.sum()} of the strikes that should follow {self.after} after {self.days} days would come after "
                f"the last day ({world.horizon - 1}): they do not happen."
            )
        return [
            Strike(day + self.days, source)
            for day, source in zip(days[~late].tolist(), origin[~late].tolist(), strict=True)
        ]


WAYS = {"poisson": Poisson, "hawkes": Hawkes, "sequence": Sequence}
EXAMPLES = (
    "give a day, {from: 10, to: 40}, {kind: poisson, per_year: 4}, {kind: hawkes, ...}, {kind: sequence, ...}, "
    "{after: name, days: 20} or {replay: file.csv}"
)


def _known(value: Any) -> Any:
    """Refuse what is no way of saying when, in words that list the ways."""
    if isinstance(value, Mapping):
        kind = value.get("kind")
        if kind is not None and not (isinstance(kind, str) and kind in WAYS):
            raise ValueError(f"kind: {kind!r} is not known; give one of {', '.join(WAYS)}")
        if kind is None and not {"from", "to", "after", "replay"} & set(value):
            raise ValueError(f"this does not say when; {EXAMPLES}")
    elif isinstance(value, bool) or not isinstance(value, (int, np.integer, Part)):
        raise ValueError(f"{value!r} is no day; {EXAMPLES}")
    elif not isinstance(value, Part) and value < 0:
        raise ValueError(f"day {value} is before the first day; give 0 or more")
    return value


def _which(value: Any) -> str:
    """Tag of the way; with a space in it, because pydantic mixes tags into the paths of its complaints."""
    if isinstance(value, Part):
        return f"a {type(value).__name__.lower()}"
    if not isinstance(value, Mapping):
        return "a day"
    words = [word for word in ("after", "replay") if word in value]
    return f"a {value.get('kind') or (words[0] if words else 'window')}"


When = Annotated[
    Annotated[int, Field(ge=0), Tag("a day")]
    | Annotated[Window, Tag("a window")]
    | Annotated[Poisson, Tag("a poisson")]
    | Annotated[Hawkes, Tag("a hawkes")]
    | Annotated[Sequence, Tag("a sequence")]
    | Annotated[After, Tag("a after")]
    | Annotated[Replay, Tag("a replay")],
    Discriminator(_which),
    BeforeValidator(_known),
]
"""When a shock strikes; the first day is 0."""


def strikes(when: Any, world: World, stream: Stream, where: str) -> list[Strike]:
    """Strikes of the whole economy, in order; raises InputError for one that would come after the last day."""
    if isinstance(when, Part):
        found: list[Strike] = when.strikes(world, stream, where)  # type: ignore[attr-defined]
        return found
    refuse_late(when, world, where)
    return [Strike(int(when), GIVEN)]
