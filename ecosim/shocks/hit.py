"""What most shocks have in common: whom they hit, when, how hard, and how it passes."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from ecosim.errors import InputError
from ecosim.shocks.arrivals import Poisson, When, strikes
from ecosim.shocks.contagion import Contagion
from ecosim.shocks.recovery import Course, Easing
from ecosim.shocks.replay import Replay
from ecosim.shocks.severity import Distribution, Severity
from ecosim.shocks.shock import Shock
from ecosim.shocks.strike import CHANCE, SPREAD
from ecosim.who import Who

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class Hit(Shock):
    """A shock that strikes chosen firms on chosen days, each with a severity, and passes.

    Who is hit, when and how hard is drawn before the first day, addressed by the shock's name and the firm's row, so
    that the same shock hits the same firms as hard on any network. What befell a firm is kept as an entry (firm, day,
    first severity, what is left of it); entries that overlap compose by multiplication and never compound.
    """

    who: Who = Who()
    """Which firms; chosen anew for each strike where chance has a part in it."""
    when: When = 0
    """Day on which it strikes, the first day being 0; or days, by chance, in sequence, after another shock, or as
    recorded in a file (docs/shocks.md)."""
    severity: Severity = 1.0
    """Share that is lost, 0 to 1; a share for each firm by name, which then says who as well; or a distribution."""
    contagion: Contagion | None = None
    """How it passes to other firms, if it does."""

    damages: ClassVar[bool] = False
    """Whether what it takes is damage to means, which has to be repaired."""
    begins: ClassVar[str] = "hits"
    """What the diary says when it strikes."""

    @property
    @abstractmethod
    def course(self) -> Course | None:
        """How it passes; None for never."""

    @abstractmethod
    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Write today's multipliers for firms that are hit, with what is left of the severity, both (k,).

        A firm that was hit twice is there twice.
        """

    def check(self, world: World, where: str) -> None:
        """Raise InputError where the economy lacks what the shock acts on; called once, before the first day."""

    def told(self, strength: Array) -> Array:
        """What the diary says of severities, (k,): the amount of its events."""
        return strength

    @model_validator(mode="after")
    def _one_who(self) -> Self:
        if not isinstance(self.severity, dict):
            return self
        if not self.severity:
            raise ValueError("severity names no firm; give a share for at least one")
        if self.who != Who():
            raise ValueError("severity names the firms, so who cannot choose others; drop one of the two")
        if self.contagion is not None:
            raise ValueError("severity names the firms, so contagion cannot reach others; give one severity for all")
        if isinstance(self.when, Replay):
            raise ValueError("severity names the firms, and so does the file of when; give one severity for all")
        return self

    def prepare(self, world: World, rng: Stream, where: str) -> None:
        """Choose who will be hit, when and how hard, once, before the first day."""
        self.check(world, where)
        rows, day, number, origin, given = self._struck(world, rng, where)
        if self.contagion is not None:
            rows, day, number, origin, given = self._passed_on(world, rng, where, (rows, day, number, origin, given))
        first = np.where(np.isnan(given), self._severities(world, rng, where, rows, number), given)
        nothing = np.zeros(len(rows))
        world.memory[self.label] = {
            "rows": rows,
            "day": day,
            "first": first,
            "left": nothing,
            "clock": nothing.copy(),
            "number": number,
            "origin": origin,
        }
        if not len(rows):
            world.remarks.append(
                f"{self.label} hits nobody: by chance no firm was struck on any of {world.horizon} days."
            )
        elif not first.any():
            world.remarks.append(f"{self.label} takes nothing: its severity is 0.")

    def _struck(self, world: World, rng: Stream, where: str) -> tuple[Array, ...]:
        """Whom the shock itself strikes: rows, days, number of the strike, origin, and severity (NaN where drawn)."""
        luck = world.streams[f"{rng.purpose}: when"]
        if isinstance(self.when, Poisson) and self.when.each == "firm":
            chosen = self._pick(world, rng, where)
            at, days, number = self.when.gaps(chosen, world.horizon, luck, f"{where}.when")
            order = np.lexsort((chosen[at], days))
            rows, days, number = chosen[at][order], days[order], number[order]
            return rows, days, number, np.full(len(rows), CHANCE), np.full(len(rows), np.nan)
        found = strikes(self.when, world, luck, f"{where}.when")
        firms: list[Array] = []
        for turn, strike in enumerate(found):
            if firms and not self.who.by_chance and strike.among is None and found[turn - 1].among is None:
                firms.append(firms[-1])
                continue
            try:
                firms.append(self._pick(world, rng, where, number=turn, among=strike.among))
            except InputError as error:
                raise InputError(f"{error} ({strike.place})" if strike.place else str(error)) from None
        count = np.array([len(rows) for rows in firms], dtype=np.int64)
        given = [np.nan if strike.severity is None else strike.severity for strike in found]
        return (
            np.concatenate([np.empty(0, dtype=np.int64), *firms]),
            np.repeat(np.array([strike.day for strike in found], dtype=np.int64), count),
            np.repeat(np.arange(len(found)), count),
            np.repeat(np.array([strike.origin for strike in found], dtype=np.int64), count),
            np.repeat(np.array(given, dtype=np.float64), count),
        )

    def _pick(self, world: World, rng: Stream, where: str, **draw: Any) -> Array:
        if not isinstance(self.severity, dict):
            return self.who.pick(world, rng, f"{where}.who", **draw)
        try:
            return Who(firms=tuple(self.severity)).pick(world, rng, f"{where}.severity", **draw)
        except InputError as error:
            raise InputError(str(error).replace(".severity.firms", ".severity", 1)) from None

    def _passed_on(self, world: World, rng: Stream, where: str, struck: tuple[Array, ...]) -> tuple[Array, ...]:
        """What the shock itself strikes, and then whom it passes to; firms with days of their own make one wave."""
        assert self.contagion is not None
        rows, day, number, *_ = struck
        luck = world.streams[f"{rng.purpose}: contagion"]
        one = isinstance(self.when, Poisson) and self.when.each == "firm"
        parts = [struck]
        for wave in [0] if one else np.unique(number).tolist():
            of = np.full(len(rows), True) if one else number == wave
            reached, on = self.contagion.spread(world, rows[of], day[of], luck, wave, f"{where}.contagion")
            more = np.full(len(reached), wave)
            parts.append((reached, on, more, np.full(len(reached), SPREAD), np.full(len(reached), np.nan)))
        return tuple(np.concatenate([part[place] for part in parts]) for place in range(len(struck)))

    def _severities(self, world: World, rng: Stream, where: str, rows: Array, number: Array) -> Array:
        """Severity of each entry, (k,): drawn by firm and number of the strike, whatever the network."""
        if isinstance(self.severity, dict):
            shares = self.severity
            return np.array([shares[world.firm_name(row)] for row in rows.tolist()], dtype=np.float64)
        if not isinstance(self.severity, Distribution):
            return np.full(len(rows), self.severity)
        stream = world.streams[f"{rng.purpose}: severity"]
        luck = np.empty(len(rows))
        order = np.argsort(number, kind="stable")
        of_each, begin = np.unique(number[order], return_index=True)
        for strike, at in zip(of_each.tolist(), np.split(order, begin[1:]), strict=True):
            luck[at] = stream.uniform(strike, rows[at])
        return self.severity.shares(luck, self.course, f"{where}.severity")

    def apply(self, world: World, rng: Stream) -> None:
        """Let what is left of earlier strikes pass, strike anew, and write today's effect."""
        entries = world.memory[self.label]
        self._pass(world, entries)
        new = np.flatnonzero((entries["day"] == world.day) & (entries["first"] > 0))
        if len(new):
            entries["left"][new] = entries["first"][new]
            amount = self.told(entries["first"][new])
            world.happened(f"{self.label} {self.begins}", entries["rows"][new], amount, damage=self.damages)
        on = np.flatnonzero(entries["left"] > 0)
        if len(on):
            self.effect(world, entries["rows"][on], entries["left"][on])

    def _pass(self, world: World, entries: dict[str, Array]) -> None:
        """What is left after last evening."""
        on = np.flatnonzero(entries["left"] > 0)
        if self.course is None or not len(on):
            return
        rows, first, left = entries["rows"][on], entries["first"][on], entries["left"][on]
        since = world.day - 1 - entries["day"][on]
        own = self.damages and "repair" in world.firms
        speed = world.firms.repair[rows] if own else 1.0
        clock = entries["clock"][on] if own else since
        after = self.course.evening(left, first, since, world, rows, speed, clock)
        entries["left"][on] = after
        entries["clock"][on] += speed
        over = after == 0
        if over.any():
            world.happened(f"{self.label} is over", rows[over], self.told(np.zeros(int(over.sum()))))


class Spell(Hit):
    """A hit at full strength for ``days`` days, which then eases off in ``ease`` equal daily steps."""

    days: int = Field(default=30, ge=1, le=100_000)
    """Days at full strength."""
    ease: int = Field(default=0, ge=0, le=100_000)
    """Days over which it eases off afterwards."""

    @property
    def course(self) -> Easing:
        """Full strength, then equal steps."""
        return Easing(self.days, self.ease)
