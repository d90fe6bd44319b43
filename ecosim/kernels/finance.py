"""A day's settlement as arithmetic on arrays: what falls due, what can be paid, who gets it, what is written off."""

from typing import Any

import numpy as np
from numba import njit

NOISE = 1e-12  # relative rounding noise of sums: a shortage below it is none
MISSED = 1e-9  # share below which missing cash, or what stays unpaid of what is due, is rounding


@njit(cache=True)
def tally(amounts: Any, customer: Any, role: Any, near: Any, by_role: Any) -> float:
    """Add up amounts (n,) by the community beside each firm and by the firm's role, in order of row.

    Returns the lowest amount, 0 if none is negative.
    """
    lowest = 0.0
    for i in range(len(amounts)):
        if amounts[i] != 0.0:  # most payments concern few firms
            near[customer[i]] += amounts[i]
            by_role[role[i]] += amounts[i]
            lowest = min(lowest, amounts[i])
    return lowest


@njit(cache=True)
def feel_stress(cash: Any, target: Any, scale: Any, alive: Any, alarm: float, stress: Any) -> tuple[int, int]:
    """Fill in what each firm lacks of ``alarm`` x its cash target, as a share of that.

    Returns how many firms lack any, and how many are closed.
    """
    short, closed = 0, 0
    for i in range(len(cash)):
        least = alarm * scale[i] * target[i]
        lack = min(1.0, 1.0 - cash[i] / least) if least > 0.0 else 0.0
        stress[i] = lack if lack > MISSED else 0.0
        short += lack > MISSED
        closed += alive[i] == 0.0
    return short, closed


@njit(cache=True)
def order_less(rows: Any, ptr: Any, flow: Any, cut: Any, ordered: Any, delivered: Any) -> None:
    """Let firms of ``rows`` order less by ``cut`` (rows,) days of usual purchases, nothing at the least."""
    for at in range(len(rows)):
        for e in range(ptr[rows[at]], ptr[rows[at] + 1]):
            amount = max(0.0, ordered[e] - cut[at] * flow[e])
            ordered[e] = amount
            delivered[e] = amount


@njit(cache=True)
def fall_due(
    cash: Any,
    debt: Any,
    arrears: Any,
    payables: Any,
    production: Any,
    output: Any,
    alive: Any,
    scale: Any,
    staff: Any,
    cash_stress: Any,
    wage_bill: Any,
    rent_bill: Any,
    rigid: Any,
    thrift: Any,
    payment_days: Any,
    late: Any,
    wages_channel: Any,
    rent_channel: Any,
    interest_channel: Any,
    invoices_channel: Any,
    daily_rate: float,
    wages: Any,
    rent: Any,
    interest: Any,
    dues: Any,
    need: Any,
    costs: Any,
) -> float:
    """Fill in what each firm must pay today, and what it needs to borrow for that; return the sum of the needs.

    ``dues`` is what it means to pay its suppliers: what falls due, less what it puts off before it asks the bank;
    ``costs`` are the other items together.
    """
    needed = 0.0
    for i in range(len(cash)):
        activity = production[i] / output[i] if output[i] > 0.0 else 0.0
        kept = 1.0 - thrift[i] * cash_stress[i]
        fixed = rigid[i] * kept * min(1.0, staff[i])
        wages[i] = alive[i] * wages_channel[i] * wage_bill[i] * (fixed + (1.0 - rigid[i]) * activity)
        rent[i] = alive[i] * rent_channel[i] * rent_bill[i] * scale[i] * kept
        interest[i] = debt[i] * daily_rate * interest_channel[i]
        due = payables[i] * min(1.0, invoices_channel[i] / payment_days[i])
        total = wages[i] + rent[i] + arrears[i] + interest[i] + due
        short = total - cash[i]
        need[i] = 0.0
        if short > NOISE * total:
            put_off = min(due, late[i] * short) * alive[i]
            due -= put_off
            need[i] = short - put_off
            needed += need[i]
        dues[i] = due
        costs[i] = wages[i] + rent[i] + interest[i]
    return needed


@njit(cache=True)
def pay_in_turn(
    cash: Any, wages: Any, rent: Any, arrears: Any, interest: Any, dues: Any, payables: Any, distress: Any,
    settled: Any, put_off: Any, unpaid_interest: Any, rate: Any, alive: Any, tolerated: float,
) -> tuple[float, float, float, bool]:  # fmt: skip
    """Pay people first, then the bank, then suppliers, as far as cash goes; count days on which too much was missing.

    ``wages`` and ``rent`` become what is paid of them and ``settled`` what is paid of ``arrears``, which take over the
    rest (``put_off``, what is new of it). ``rate`` is the share of every invoice that is paid today. A firm in business
    is in distress while it misses more than ``tolerated`` of what is due, a closed one while it misses anything.
    Returns sums of interest, of ``settled`` and of ``put_off``, and whether any firm is in distress.
    """
    earned, late, new = 0.0, 0.0, 0.0
    distressed = False
    for i in range(len(cash)):
        fixed = wages[i] + rent[i] + arrears[i]
        total = fixed + interest[i] + dues[i]
        share, bank, paid = 1.0, interest[i], dues[i]
        if total > cash[i] * (1.0 + NOISE):
            left = max(0.0, cash[i] * (1.0 - NOISE))  # rounding must not overdraw the account
            share = min(1.0, left / fixed) if fixed > 0.0 else 1.0
            left = max(0.0, left - fixed * share)
            bank = min(interest[i], left)
            paid = min(dues[i], left - bank)
        settled[i] = arrears[i] * share
        put_off[i] = (wages[i] + rent[i]) * (1.0 - share)
        arrears[i] = arrears[i] * (1.0 - share) + put_off[i]
        wages[i] *= share
        rent[i] *= share
        unpaid_interest[i] = interest[i] - bank
        rate[i] = paid / payables[i] if payables[i] > 0.0 else 0.0
        missed = fixed * (1.0 - share) + unpaid_interest[i] + dues[i] - paid
        gap = tolerated if alive[i] > 0.0 and tolerated > MISSED else MISSED
        distress[i] = distress[i] + 1.0 if missed > gap * total else 0.0
        distressed |= distress[i] > 0.0
        earned += interest[i]
        late += settled[i]
        new += put_off[i]
    return earned, late, new, distressed


@njit(cache=True)
def trade(
    ptr: Any, supplier: Any, owed: Any, delivered: Any, rate: Any, alive: Any, price: Any, priced: bool, role: Any,
    at: Any, paid: Any, received: Any, billed: Any, invoiced: Any, payables: Any, receivables: Any, by_role: Any,
) -> None:  # fmt: skip
    """Let buyers pay a share of each invoice, and add what was delivered today at the supplier's price.

    What a link adds to its supplier lies beside the supplier's price in one place of a small array, ``at`` (n, 3); that
    is several times faster than to gather it supplier by supplier. Links come in their order, one after the other, so
    sums are the same to the bit. A closed firm is not invoiced for what rule 2 of rationing gives to clients that
    ordered nothing.
    """
    firms = len(rate)
    for i in range(firms):
        at[i, 0], at[i, 1] = 0.0, 0.0
        at[i, 2] = price[i] if priced else 1.0
    for i in range(firms):
        given = 0.0
        added = 0.0
        waiting = 0.0
        share = rate[i]
        for e in range(ptr[i], ptr[i + 1]):
            s = supplier[e]
            old = owed[e] * share
            new = delivered[e] * alive[i] * at[s, 2]
            left = owed[e] - old + new
            owed[e] = left
            given += old
            added += new
            waiting += left
            at[s, 0] += old
            at[s, 1] += new
        paid[i] = given
        billed[i] = added
        payables[i] = waiting
        by_role[role[i]] -= added
    for i in range(firms):
        received[i] = at[i, 0]
        invoiced[i] = at[i, 1]
        receivables[i] = max(0.0, receivables[i] + at[i, 1] - at[i, 0])
        by_role[role[i]] += at[i, 1]


@njit(cache=True)
def note_moves(
    ptr: Any, supplier: Any, flow: Any, creditor: Any, noted: Any, owed: Any, days: Any, working_capital: Any
) -> Any:
    """Find links with open invoices that belong to another supplier than was noted, shape (moved,).

    What links usually tie up, flow x days, moves in ``working_capital``: suppliers lend it and buyers borrow it.
    """
    moved = np.empty(len(supplier), dtype=np.int64)
    count = 0
    for i in range(len(days)):
        for e in range(ptr[i], ptr[i + 1]):
            if supplier[e] == creditor[e] and flow[e] == noted[e]:
                continue
            working_capital[creditor[e]] -= noted[e] * days[i]
            working_capital[supplier[e]] += flow[e] * days[i]
            working_capital[i] += (noted[e] - flow[e]) * days[i]
            if supplier[e] != creditor[e] and owed[e] > 0.0:
                moved[count] = e
                count += 1
    return moved[:count].copy()


@njit(cache=True)
def use_surplus(
    cash: Any, full_target: Any, scale: Any, alive: Any, debt: Any, claim: Any, payables: Any, receivables: Any,
    working_capital: Any, arrears: Any, costs: Any, usual_profit: Any, budgeting: Any, added: Any, repaid: Any,
    recovered: Any, drawn: Any,
) -> tuple[float, float, float]:  # fmt: skip
    """What owners put in and draw, and what the bank gets back, after the day's receipts.

    A closed firm pays its debt, keeps what its open invoices need, and leaves the rest to the bank as far as that has
    a claim, and then to its owners. Returns sums of what was put in, repaid and recovered.
    """
    put_in, back, found = 0.0, 0.0, 0.0
    for i in range(len(cash)):
        added[i] = 0.0
        repaid[i] = 0.0
        recovered[i] = 0.0
        target = scale[i] * full_target[i]
        excess = cash[i] - target
        if alive[i] == 0.0:
            repaid[i] = min(debt[i], max(cash[i], 0.0))
            free = max(0.0, cash[i] - repaid[i] - payables[i] - arrears[i])
            recovered[i] = min(claim[i], free)
            drawn[i] = free - recovered[i]
        elif excess >= 0.0:
            repaid[i] = min(debt[i], excess)
            # What invoices do not tie up today they will tie up again.
            free_capital = working_capital[i] - (receivables[i] - payables[i])
            kept = free_capital if free_capital > MISSED * target else 0.0
            drawn[i] = max(0.0, excess - repaid[i] - kept)
        else:
            # Owners make up for a loss at rest; for a little more, so that rounding cannot add up.
            added[i] = min(max(0.0, -usual_profit[i]) * (1.0 + MISSED), -excess)
            habit = (1.0 - budgeting[i]) * max(0.0, usual_profit[i])
            drawn[i] = min(habit, max(0.0, cash[i] - costs[i]))
        put_in += added[i]
        back += repaid[i]
        found += recovered[i]
    return put_in, back, found


@njit(cache=True)
def write_off(rows: Any, ptr: Any, supplier: Any, owed: Any, lost: Any) -> None:
    """Strike out what the firms of ``rows`` owe, and add it to what their suppliers ``lost``."""
    for i in rows:
        for e in range(ptr[i], ptr[i + 1]):
            lost[supplier[e]] += owed[e]
            owed[e] = 0.0
