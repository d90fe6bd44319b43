"""A loan guarantee: the state stands for part of new credit lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.policies.need import Need
from ecosim.policies.policy import Policy
from ecosim.spread import parameter

if TYPE_CHECKING:
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]


class LoanGuarantee(Policy):
    """The state stands for credit that the bank would not give, and pays the bank when it is lost.

    Equation: credit line + ``line`` x usual output, for firms in need (with or without a line of their own); when a
    firm closes, the state pays the share ``cover`` of what the bank has lost on it, as far as this is guaranteed.
    The budget holds all that is promised: new guarantees end when ``cover`` x guaranteed lines would exceed it.
    What is lent stays lent when the policy ends. A guarantee lets the bank charge for nothing, so it has no fee.
    That guarantees make firms borrow and grow, and default more often, was measured by Lelarge, Sraer & Thesmar
    (2010).

    Channel ``guarantee`` (finance). Needs finance.
    """

    kind: Literal["loan_guarantee"] = "loan_guarantee"
    need: Need = Need(cash_below=1.0)
    """In what state a firm gets it; with less cash than it aims at, unless something else is said."""
    line: float = parameter(20.0, unit="days of output", source="assumption", low=0, high=1000)
    """Guaranteed credit line; as long as the bank's own (``credit_days`` of finance)."""
    cover: float = parameter(
        0.8,
        unit="share",
        source="European Commission (2008), Notice 2008/C 155/02: at most 80 % of a loan",
        low=0,
        high=1,
    )
    """Share of a loss that the state takes over."""

    needs: ClassVar[tuple[str, ...]] = ("finance",)
    writes: ClassVar[tuple[str, ...]] = ("guarantee",)
    goes_to: ClassVar[Literal["firms", "households", "bank"]] = "bank"
    pays_later: ClassVar[bool] = True

    def keeps(self, world: World) -> dict[str, Array]:
        """Guaranteed lines, currency units, and what the bank had lost on each firm."""
        return {"line": np.zeros(world.firms.rows), "claim": world.firms.claim.copy()}

    def due(self, world: World, kept: dict[str, Array]) -> Array | None:
        """Losses of the bank since yesterday on firms with a guarantee, as far as it goes."""
        claim = world.firms.claim
        lost = np.minimum(np.maximum(claim - kept["claim"], 0.0), kept["line"])
        kept["claim"][:] = claim
        kept["line"][(world.firms.alive <= 0.0) & (world.firms.debt <= 0.0)] = 0.0  # a new owner has to ask anew
        return self.cover * lost if lost.any() else None

    def choose(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """All that have a guarantee keep it, in need or not."""
        held = kept["rows"][kept["line"][kept["rows"]] > 0.0]
        return np.union1d(rows, held[world.firms.alive[held] > 0.0])

    def bill(self, world: World, kept: dict[str, Array], rows: Array) -> Array:
        """What the state would lose if all of it were lost."""
        return np.asarray(self.cover * self._full(world, rows))

    def act(self, world: World, kept: dict[str, Array], rows: Array, share: float) -> None:
        """Raise today's credit lines."""
        kept["line"][rows] = share * self._full(world, rows)

    def last(self, world: World, kept: dict[str, Array]) -> None:
        """What is guaranteed stays so."""
        rows = np.flatnonzero(kept["line"])
        if len(rows):
            days = kept["line"][rows] / world.firms.output[rows]
            world.sheet.multiply("guarantee", rows, 1.0 + days)

    def _full(self, world: World, rows: Array) -> Array:
        return np.asarray(self.line * world.firms.output[rows])
