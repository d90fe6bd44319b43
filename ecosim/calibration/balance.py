"""Flows that balance: the Leontief system of a firm network, fitted to the sector flows of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from ecosim.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

HIGHEST_SHARE = 0.95  # of its output that a firm may spend on inputs after fitting
CONVERGED = 1e-13  # relative change of total output at which the solution of x = c + M x stops
FIT_ROUNDS = 300
FIT_GOAL = 1e-4  # largest error of a sector's output, relative, at which fitting stops
PATIENCE = 30  # rounds without a better fit after which it stops: the structure cannot carry the table's flows
NEGLIGIBLE = 1e-9  # share of the buyer's output below which fitting has emptied a link


@dataclass(frozen=True)
class Balanced:
    """Links with a supplier, their cost shares after fitting, and the outputs they imply."""

    kept: NDArray[np.bool_]  # (slots,): slots that found a supplier
    share: NDArray[np.float64]  # (links,): cost as a share of the buyer's output
    output: NDArray[np.float64]  # (firms,): currency units a day
    rounds: int  # of fitting
    worst_sector: float  # largest relative error of a sector's output against the table; 0 without a table
    total_error: float  # relative error of total output against what it would be if every firm could buy its share


def solve_output(
    final: NDArray[np.float64],
    buyer: NDArray[np.int32],
    supplier: NDArray[np.int32],
    share: NDArray[np.float64],
    guess: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Solve x = c + M x, where M[supplier, buyer] is the cost share, for outputs x of shape (firms,).

    This is the Leontief quantity system of the firm network (Leontief 1936). Since every firm spends less than it
    earns, the sum c + M c + M^2 c + ... converges from any start, and no factorisation has to fill memory.
    """
    firms = len(final)
    matrix = csr_array((share, (supplier, buyer)), shape=(firms, firms))
    output = final.copy() if guess is None else guess
    for _ in range(5000):
        after = final + matrix @ output
        change = float(np.abs(after - output).sum())
        output = after
        if change <= CONVERGED * float(output.sum()):
            return output
    raise InputError(
        "the economy cannot be balanced: outputs still grow after 5,000 rounds of purchases; "
        "some group of firms spends nearly all of its output on inputs from itself: lower the intermediate shares"
    )


def balance(
    final: NDArray[np.float64],
    sector: NDArray[np.int32],
    buyer: NDArray[np.int32],
    product: NDArray[np.int32],
    share: NDArray[np.float64],
    supplier: NDArray[np.int32],
    target: NDArray[np.float64] | None = None,
) -> Balanced:
    """Fit cost shares so that outputs solve the Leontief system and sector flows match ``target``.

    Slots without a supplier (-1) pass their cost to the buyer's others. Firms that buy nothing at all leave a gap in
    what their sector buys, so the others of the sector buy more (up to 95 % of output): total flow is the same in
    every structure. With ``target`` (sectors, sectors), flows a day from row to column, shares are scaled by product
    and buying sector and by firm in turn (RAS, Stone 1961) while outputs are solved along.
    """
    cost = np.bincount(buyer, share, minlength=len(final))  # what each firm should spend, share of output
    kept = supplier >= 0
    links = _Links(buyer[kept], supplier[kept], product[kept], share[kept])
    goal = cost * (np.bincount(links.buyer, minlength=len(final)) > 0)
    links.share = _to_cost(links.share, links.buyer, goal)
    output = solve_output(final, links.buyer, links.supplier, links.share)
    rounds, worst = 0, 0.0
    if target is not None:
        output, rounds, worst = _fit_table(links, final, sector, goal, output, target)
    elif (goal < cost).any():
        output, rounds = _fit_total(links, final, sector, goal, cost, output)
    real = links.share > NEGLIGIBLE
    if not real.all():
        kept[np.flatnonzero(kept)[~real]] = False
        links = _Links(links.buyer[real], links.supplier[real], links.product[real], links.share[real])
        output = solve_output(final, links.buyer, links.supplier, links.share, output)
    # Where all firms spend the same share s, total output is sum c / (1 - s) in every structure (Acemoglu et al. 2012).
    spent = float(cost @ output) / float(output.sum())
    wanted = float(final.sum()) / (1.0 - spent) if target is None else float(final.sum() + target.sum())
    return Balanced(kept, links.share, output, rounds, worst, abs(float(output.sum()) / wanted - 1.0))


@dataclass
class _Links:
    buyer: NDArray[np.int32]
    supplier: NDArray[np.int32]
    product: NDArray[np.int32]
    share: NDArray[np.float64]


def _fit_table(
    links: _Links,
    final: NDArray[np.float64],
    sector: NDArray[np.int32],
    goal: NDArray[np.float64],
    output: NDArray[np.float64],
    target: NDArray[np.float64],
) -> tuple[NDArray[np.float64], int, float]:
    """Scale shares in place until sector outputs are the table's; return outputs, rounds and the worst error."""
    sectors = len(target)
    made_goal = np.bincount(sector, final, minlength=sectors) + target.sum(axis=1)
    busy = made_goal > 0
    pair = links.product.astype(np.int64) * sectors + sector[links.buyer]
    best, best_round, rounds, worst = np.inf, 0, 0, np.inf
    while worst > FIT_GOAL and rounds < FIT_ROUNDS and rounds - best_round < PATIENCE:
        rounds += 1
        # A sector in which some firms buy nothing must still buy what the table says: its others buy more.
        lift = target.sum(axis=0) / np.maximum(np.bincount(sector, goal * output, minlength=sectors), 1e-300)
        flows = np.bincount(pair, links.share * output[links.buyer], minlength=sectors * sectors)
        factor = np.divide(target.ravel(), flows, out=np.ones_like(flows), where=flows > 0)
        spend = np.minimum(goal * np.maximum(lift, 1.0)[sector], np.maximum(goal, HIGHEST_SHARE))
        links.share = _to_cost(links.share * factor[pair], links.buyer, spend)
        output = solve_output(final, links.buyer, links.supplier, links.share, output)
        made = np.bincount(sector, output, minlength=sectors)
        worst = float(np.max(np.abs(made / np.maximum(made_goal, 1e-300) - 1.0)[busy]))
        if worst < 0.99 * best:
            best, best_round = worst, rounds
    return output, rounds, worst


def _fit_total(
    links: _Links,
    final: NDArray[np.float64],
    sector: NDArray[np.int32],
    goal: NDArray[np.float64],
    cost: NDArray[np.float64],
    output: NDArray[np.float64],
) -> tuple[NDArray[np.float64], int]:
    """Let firms with suppliers buy, in place, what those without cannot; return outputs and rounds."""
    for rounds in range(FIT_ROUNDS):
        wanted = np.bincount(sector, cost * output)
        able = np.bincount(sector, goal * output)
        spend = np.minimum(goal * (wanted / np.maximum(able, 1e-300))[sector], np.maximum(goal, HIGHEST_SHARE))
        links.share = _to_cost(links.share, links.buyer, spend)
        before, output = output, solve_output(final, links.buyer, links.supplier, links.share, output)
        if float(np.abs(output - before).sum()) <= 1e-12 * float(output.sum()):
            return output, rounds + 1
    return output, FIT_ROUNDS


def _to_cost(share: NDArray[np.float64], buyer: NDArray[np.int32], goal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale each buyer's shares so that they sum to its goal."""
    spent = np.bincount(buyer, share, minlength=len(goal))
    scale = np.divide(goal, spent, out=np.zeros_like(goal), where=spent > 0)
    scaled: NDArray[np.float64] = share * scale[buyer]
    return scaled
