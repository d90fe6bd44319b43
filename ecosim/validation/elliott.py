"""Elliott, Golub & Leduc (2022): supply networks that hold until, a little weaker, they are gone.

Every firm needs m inputs and can get each from n suppliers; a relationship works with probability x. A firm produces if
each of its inputs comes from at least one producing supplier over a relationship that works. The share that produces
satisfies x(rho) = (1 - (1 - rho^(1/m))^(1/n)) / rho, whose minimum x_c is a cliff: above it most firms produce, below
it none.

The limit of the engine with all-or-nothing links is this: each relationship is a carrier, a firm of its own that buys
from the supplier and sells to the buyer and that may stand still for good; firms have ample capacity, and so much stock
to aim at that they order from the suppliers that are left what the others do not send. Then a firm lives on with one
supplier of each input, and closes down without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from ecosim.rng import Stream
from ecosim.shocks.outage import Outage
from ecosim.validation.check import Check
from ecosim.validation.worlds import plan_of, world_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOURCE = "Elliott, Golub & Leduc (2022)"
PUBLISHED = {(2, 2): 27 / 32, (3, 2): 0.9042, (5, 3): 0.8026, (5, 4): 0.67785}
ASIDE = 0.01  # on either side of the cliff
INPUTS = 0.01  # share of output that firms of the engine spend on inputs: so little that orders cannot swing
AMPLE = 9.0  # capacity beyond the usual, share
STOCK = 6.0  # days that firms of the engine aim at; one of two suppliers is replaced from 3 days on


def needed(rho: float, m: int, n: int) -> float:
    """Probability x that a relationship works at which a share ``rho`` of firms produces."""
    return float((1.0 - (1.0 - rho ** (1.0 / m)) ** (1.0 / n)) / rho)


def cliff(m: int, n: int) -> tuple[float, float]:
    """Critical probability x_c and the share rho_c that still produces there."""
    lowest = minimize_scalar(needed, bounds=(1e-3, 1.0 - 1e-9), args=(m, n), method="bounded", options={"xatol": 1e-12})
    return float(lowest.fun), float(lowest.x)


def above(x: float, m: int, n: int) -> float:
    """Share of firms that produces at x > x_c (the larger root)."""
    return float(brentq(lambda rho: needed(rho, m, n) - x, cliff(m, n)[1], 1.0))


@dataclass(frozen=True)
class Web:
    """Suppliers drawn evenly, shape (firms, m, n), and which relationships work, of the same shape."""

    supplier: NDArray[np.int64]
    works: NDArray[np.bool_]

    @classmethod
    def drawn(cls, firms: int, m: int, n: int, x: float, seed: int) -> Web:
        """A web of so many firms in which relationships work with probability x."""
        rng = Stream(seed, 0, f"validation: elliott {m} {n}").generator()
        return cls(rng.integers(firms, size=(firms, m, n)), rng.random((firms, m, n)) < x)

    def producing(self) -> NDArray[np.bool_]:
        """Firms that can produce, shape (firms,): the largest set that feeds itself."""
        alive = np.ones(len(self.supplier), dtype=bool)
        while True:
            after = (alive[self.supplier] & self.works).any(axis=2).all(axis=1) & alive
            if (after == alive).all():
                return alive
            alive = after


def elliott(*, firms: int = 10_000, engine_firms: int = 10_000, days: int = 3000) -> list[Check]:
    """Find the cliffs, and look at webs a little above and a little below each, by the theory and by the engine."""
    found = []
    for (m, n), published in PUBLISHED.items():
        x_c, rho_c = cliff(m, n)
        found.append(Check.within(f"{m} inputs of {n} suppliers: x_c", published, x_c, 1, SOURCE, absolute=5e-5,
                                  tests="library"))  # fmt: skip
        if (m, n) == (2, 2):
            found.append(Check.within("2 inputs of 2 suppliers: rho_c", 64 / 81, rho_c, 1, SOURCE, absolute=5e-5,
                                      tests="library"))  # fmt: skip
        for side, x in (("above", x_c + ASIDE), ("below", x_c - ASIDE)):
            expected = above(x, m, n) if side == "above" else 0.0
            share = float(Web.drawn(firms, m, n, x, 1).producing().mean())
            told = f"{m} inputs of {n} suppliers: firms producing {ASIDE} {side} the cliff"
            found.append(Check.within(told, expected, share, firms, SOURCE, absolute=0.03, unit="share",
                                      tests="library"))  # fmt: skip
    m, n = 2, 2
    for side, x in (("above", 27 / 32 + ASIDE), ("below", 27 / 32 - ASIDE)):
        web = Web.drawn(engine_firms, m, n, x, 1)
        lived = through_engine(web, days)
        told = f"engine, {side} the cliff ({100 * lived.mean():.3g} % produce): firms that the theory has otherwise"
        wrong = float((lived != web.producing()).sum())
        found.append(Check.at_most(told, 0.0, wrong, engine_firms, SOURCE, unit="firms"))
    return found


def through_engine(web: Web, days: int) -> NDArray[np.bool_]:
    """Firms that still produce after so many days in the engine, shape (firms,)."""
    firms, m, n = web.supplier.shape
    carriers = firms + np.arange(web.supplier.size)
    buyer = np.repeat(np.arange(firms), m * n)
    output = np.ones(firms)  # final demand of 1 each; sales to others are small, so this converges fast
    for _ in range(20):
        output = 1.0 + np.bincount(web.supplier.ravel(), INPUTS * output[buyer] / (m * n), minlength=firms)
    flow = INPUTS * output[buyer] / (m * n)
    plan = plan_of(
        np.concatenate((np.ones(firms), np.zeros(len(carriers)))),
        np.concatenate((web.supplier.ravel(), carriers)),
        np.concatenate((carriers, buyer)),
        np.concatenate((flow, flow)),
        np.concatenate((np.zeros(len(carriers)), np.tile(np.repeat(np.arange(m), n), firms))),
    )
    broken = {plan.firm_name(row): 1.0 for row in carriers[~web.works.ravel()].tolist()}
    eco = world_of(
        plan, shocks=[Outage(severity=broken, recovery=None)], headroom=AMPLE, inventory_days=STOCK, smoothing_days=1.0,
        rationing=0,
    )  # fmt: skip
    eco.run_for(days)
    return np.asarray(eco.world.firms.production[:firms] > 0.5)
