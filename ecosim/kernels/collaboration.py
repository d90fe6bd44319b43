"""Partners: a graph of small businesses, means of neighbours, goods lent and customers referred."""

from typing import Any

import numpy as np
from numba import njit

NOISE = 1e-12  # relative rounding noise of wants and sales
FAINT = 1e-6  # loss through partners that is no longer felt


@njit(cache=True)
def depend(ptr: Any, partner: Any, left: Any, alive: Any, coupling: Any, exposure: float, loss: Any) -> Any:
    """Replace each firm's ``loss`` by coupling times ``exposure`` times what its partners in business miss, on average.

    They miss what damage has not ``left`` and the loss of the day before. Return what they have instead, on average,
    shape (n,), 0 for those without a partner in business.
    """
    missing, standing = np.empty(len(loss)), np.zeros(len(loss))
    for i in range(len(loss)):
        missing[i] = 1.0 - min(left[i], 1.0) * (1.0 - loss[i]) if alive[i] > 0.0 else -1.0
    for i in range(len(loss)):
        total, many = 0.0, 0
        for at in range(ptr[i], ptr[i + 1]):
            theirs = missing[partner[at]]
            if theirs >= 0.0:
                total += theirs
                many += 1
        around = total / many if many > 0 else 0.0
        if many > 0:
            standing[i] = 1.0 - around
        loss[i] = coupling[i] * exposure * around
        if loss[i] < FAINT:
            loss[i] = 0.0
    return standing


@njit(cache=True)
def stakes(ptr: Any, coupling: Any, added: Any, output: Any) -> Any:
    """Value added a day of each firm with partners, as far as it shares it, shape (n,)."""
    stake = np.zeros(len(output))
    for i in range(len(output)):
        if ptr[i + 1] > ptr[i]:
            stake[i] = coupling[i] * (max(added[i], 0.0) * output[i])
    return stake


@njit(cache=True)
def learn(
    ptr: Any, partner: Any, values: Any, alive: Any, coupling: Any, rate: float, days: int, first: int, last: int
) -> None:
    """Raise ``values`` of firms ``first`` to before ``last`` towards those of their partners in business who have more.

    As much of the mean of (k_j - k_i)+ is made up for as at coupling times ``rate`` a day in some ``days``.
    """
    more = np.zeros(last - first)
    for i in range(first, last):
        total, many = 0.0, 0
        for at in range(ptr[i], ptr[i + 1]):
            j = partner[at]
            if alive[j] > 0.0:
                total += max(values[j] - values[i], 0.0)
                many += 1
        if total > 0.0 and alive[i] > 0.0:
            more[i - first] = (1.0 - (1.0 - coupling[i] * rate) ** days) * total / many
    values[first:last] += more


@njit(cache=True)
def held(ptr: Any, product: Any, values: Any, firm: int, good: int) -> float:
    """Sum of ``values`` over a firm's links of one product."""
    total = 0.0
    for e in range(ptr[firm], ptr[firm + 1]):
        if product[e] == good:
            total += values[e]
    return total


@njit(cache=True)
def _put(ptr: Any, product: Any, flow: Any, stock: Any, firm: int, good: int, amount: float, need: float) -> None:
    for e in range(ptr[firm], ptr[firm + 1]):
        if product[e] == good:
            stock[e] += amount * flow[e] / need


@njit(cache=True)
def _take(ptr: Any, product: Any, stock: Any, firm: int, good: int, amount: float, have: float) -> None:
    for e in range(ptr[firm], ptr[firm + 1]):
        if product[e] == good:
            stock[e] = max(stock[e] * (1.0 - amount / have), 0.0)


@njit(cache=True)
def lend(
    short: Any, partners_ptr: Any, partner: Any, ptr: Any, product: Any, flow: Any, stock: Any, cover: Any, use: Any,
    alive: Any, coupling: Any, critical: float, keep: float, purse: Any,
) -> Any:  # fmt: skip
    """Move stock to the firms ``short`` of it from partners who have more than ``keep`` of their target.

    Nobody gets more than ``critical`` of its target, nor for more than is in its ``purse``. ``use`` (n,) is yesterday's
    production over usual output: what has been used and is not yet off the stocks stays where it is.
    Return lender, borrower, product and amount of each loan, shape (4, k); ``stock`` and ``purse`` are changed.
    """
    loans = []
    for i in short:
        e = ptr[i]
        while e < ptr[i + 1]:
            good, need, have = product[e], 0.0, 0.0
            while e < ptr[i + 1] and product[e] == good:
                need += flow[e]
                have += stock[e]
                e += 1
            wanted = min((critical * cover[i] + use[i]) * need - have, purse[i])
            for at in range(partners_ptr[i], partners_ptr[i + 1]):
                j = partner[at]
                if wanted <= 0.0 or alive[j] == 0.0:
                    continue
                theirs = held(ptr, product, stock, j, good)
                spare = theirs - (keep * cover[j] + use[j]) * held(ptr, product, flow, j, good)
                amount = min(wanted, coupling[i] * spare)
                if amount <= 0.0:
                    continue
                _take(ptr, product, stock, j, good, amount, theirs)
                _put(ptr, product, flow, stock, i, good, amount, need)
                wanted -= amount
                purse[i] -= amount
                loans.append((float(j), float(i), float(good), amount))
    told = np.zeros((4, len(loans)))
    for k in range(len(loans)):
        for part in range(4):
            told[part, k] = loans[k][part]
    return told


@njit(cache=True)
def give_back(
    lender: Any, borrower: Any, good: Any, owed: Any, ptr: Any, product: Any, flow: Any, stock: Any, cover: Any,
    use: Any, alive: Any, keep: float,
) -> None:  # fmt: skip
    """Return what was lent as soon as a borrower has more than ``keep`` of its target again; ``owed`` is changed."""
    for k in range(len(owed)):
        i, j = borrower[k], lender[k]
        need = held(ptr, product, flow, j, good[k])
        if alive[i] == 0.0 or alive[j] == 0.0 or need <= 0.0:
            continue
        have = held(ptr, product, stock, i, good[k])
        amount = min(owed[k], have - (keep * cover[i] + use[i]) * held(ptr, product, flow, i, good[k]))
        if amount > 0.0:
            _take(ptr, product, stock, i, good[k], amount, have)
            _put(ptr, product, flow, stock, j, good[k], amount, need)
            owed[k] -= amount


@njit(cache=True)
def turned_away(
    wanted: Any, consumption: Any, coupling: Any, capacity: Any, ceiling: Any, production: Any, sector: Any,
    customer: Any, sectors: int, markets: int,
) -> Any:  # fmt: skip
    """Who turned customers away, what of it can be referred to others, and what each of the others can still make.

    Some may have found another shop by themselves: a market, ``sectors`` of them for each community, never buys more
    than it wanted. Return rows (k,), and amounts, shape (n,) each.
    """
    n, short = len(wanted), []
    away, spare = np.zeros(n), np.zeros(n)
    sought, open_ = np.zeros(markets), np.zeros(markets)
    for i in range(n):
        market = np.int64(customer[i]) * sectors + sector[i]
        left = wanted[i] - consumption[i]
        open_[market] += left
        if left > NOISE * wanted[i]:
            sought[market] += left
            away[i] = left
            short.append(i)
        else:
            spare[i] = max(min(capacity[i], ceiling[i]) - production[i], 0.0)
    for i in short:
        market = np.int64(customer[i]) * sectors + sector[i]
        away[i] *= coupling[i] * min(max(open_[market], 0.0) / sought[market], 1.0)
    return np.array(short, dtype=np.int64), away, spare


@njit(cache=True)
def refer(
    short: Any, ptr: Any, partner: Any, sector: Any, customer: Any, turned_away: Any, spare: Any, served: Any
) -> None:  # fmt: skip
    """Let partners of the same sector and community serve those whom a firm had to turn away; changes the last three.

    ``spare`` is what each can still make today, ``served`` what it makes for customers of others.
    """
    for i in short:
        for at in range(ptr[i], ptr[i + 1]):
            j = partner[at]
            if sector[j] != sector[i] or customer[j] != customer[i]:
                continue
            amount = min(turned_away[i], spare[j])
            if amount > 0.0:
                turned_away[i] -= amount
                spare[j] -= amount
                served[j] += amount
