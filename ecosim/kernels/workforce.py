"""Who is needed, how people bear the load, and when they work longer."""

from typing import Any

from numba import njit

NOISE = 1e-9  # a share below this is rounding


@njit(cache=True)
def calm(alive: Any, open_: Any, extra: Any, trainees: Any, wellbeing: Any, employed: Any) -> bool:
    """Whether everyone is where they usually are, rested, and nobody else is needed."""
    for i in range(len(alive)):
        if alive[i] != open_[i] or extra[i] != 0.0 or trainees[i] != 0.0 or wellbeing[i] != 1.0:
            return False
        if abs(employed[i] - alive[i]) >= NOISE:
            return False
    return True


@njit(inline="always")
def release(i: int, share: float, employed: Any, trainees: Any, market: Any, usual: Any, pool: Any) -> None:
    """Send a share of the usual staff of firm ``i`` into the pool of its region and profile."""
    before = employed[i]
    employed[i] = before - share
    trainees[i] *= employed[i] / before
    pool[market[i]] += share * usual[i]


@njit(inline="always")
def covered(there: float, cross_training: float, exposure: float) -> float:
    """Share of the usual work that is done where only the share ``there`` of the staff can come."""
    return 1.0 - (1.0 - there) * (1.0 - cross_training) * exposure


@njit(cache=True)
def seek(
    demand: Any, output: Any, employed: Any, trainees: Any, there: Any, cross_training: Any, exposure: Any,
    alive: Any, scale: Any, open_: Any, need: Any, strain_above: Any, hiring_speed: Any, market: Any, usual: Any,
    pool: Any, wanted: Any, needed: Any,
) -> None:  # fmt: skip
    """People leave, and firms look for others: ``wanted`` (n,) share of usual staff, ``needed`` of each pool.

    Closed firms release everybody; jobs beyond the usual end when that is back and enough. Beyond its usual staff a
    firm hires only where its lasting ``need`` would strain people; one that opens anew wants what its ``scale``
    asks for.
    """
    for i in range(len(demand)):
        if alive[i] == 0.0 and employed[i] > 0.0:
            release(i, employed[i], employed, trainees, market, usual, pool)
            need[i] = 1.0
        enough = max(need[i], 1.0)
        if employed[i] > enough + NOISE and there[i] >= 1.0:
            release(i, employed[i] - enough, employed, trainees, market, usual, pool)
        wish = 0.0
        if alive[i] > 0.0 and open_[i] == 0.0:
            wish = max(scale[i] - employed[i], 0.0)
        elif alive[i] > 0.0:
            most = need[i] if need[i] > 1.0 and need[i] > 1.0 + strain_above[i] else 1.0
            asked = min(demand[i] / output[i], most) if output[i] > 0.0 else 1.0
            here = employed[i]
            if there[i] < 1.0:
                here *= covered(there[i], cross_training[i], exposure[i])
            if asked > here:
                wish = min(asked - here, hiring_speed[i])
        if open_[i] != alive[i]:
            open_[i] = alive[i]
        wanted[i] = wish if wish >= NOISE else 0.0
        if wanted[i] > 0.0:
            needed[market[i]] += wanted[i] * usual[i]


@njit(cache=True)
def work(
    wanted: Any, share: Any, market: Any, employed: Any, trainees: Any, there: Any, cross_training: Any,
    exposure: Any, flexibility: Any, training_days: Any, wellbeing: Any, effect: Any, extra: Any, staff: Any, able: Any,
) -> None:  # fmt: skip
    """Hire the ``share`` of those ``wanted`` that each pool has, and say what each firm's people are ``able`` to do.

    Who is at work goes into ``staff``, and trainees learn; in place.
    """
    for i in range(len(staff)):
        if wanted[i] > 0.0:
            hired = wanted[i] * share[market[i]]
            employed[i] += hired
            trainees[i] += hired
        if trainees[i] > 0.0:
            trainees[i] -= trainees[i] / training_days[i]
            if trainees[i] < NOISE:
                trainees[i] = 0.0
        labour = employed[i]
        if trainees[i] > 0.0:
            labour -= (1.0 - flexibility[i]) * trainees[i]
        staff[i] = employed[i]
        if there[i] < 1.0:
            staff[i] *= there[i]
            labour *= covered(there[i], cross_training[i], exposure[i])
        able[i] = 1.0 if labour > 1.0 - NOISE else labour
        if wellbeing[i] < 1.0:
            able[i] *= 1.0 - effect[i] * (1.0 - wellbeing[i])
        able[i] *= 1.0 + extra[i]


@njit(cache=True)
def overtime_bill(
    extra: Any, pay: Any, wages: Any, cash: Any, reserve: Any, cash_target: Any, scale: Any, alive: Any, bill: Any
) -> bool:
    """Write the ``bill`` for overtime that cash above the reserve can pay; say whether anybody worked longer.

    The reserve is a share of the cash that a firm of the size it has reached, ``scale``, aims at.
    """
    some = False
    for i in range(len(bill)):
        bill[i] = 0.0
        if extra[i] > 0.0:
            spare = max(cash[i] - reserve[i] * scale[i] * cash_target[i], 0.0)
            bill[i] = min(pay[i] * extra[i] * wages[i], spare) * alive[i]
            some = True
    return some


@njit(cache=True)
def tire(
    production: Any, output: Any, staff: Any, above: Any, burnout: Any, rest: Any, wellbeing: Any, patience: float,
    need: Any, employed: Any, trainees: Any, hoarding: Any, layoff_speed: Any, market: Any, usual: Any, pool: Any,
) -> None:  # fmt: skip
    """Wear out those who carry too much and rest the others; follow what staff is needed, and lay off who is not.

    In place; arrays are (n,), but for ``pool``.
    """
    for i in range(len(staff)):
        made = production[i] / output[i] if output[i] > 0.0 else 1.0
        load = made / staff[i] if made > staff[i] > 0.0 else 1.0
        if load > 1.0 and load > 1.0 + above[i] + NOISE:
            wellbeing[i] *= 1.0 - min(burnout[i] * (load - 1.0), 1.0)
        elif wellbeing[i] < 1.0:
            wellbeing[i] += rest[i] * (1.0 - wellbeing[i])
            if wellbeing[i] > 1.0 - NOISE:
                wellbeing[i] = 1.0
        need[i] += (made - need[i]) / patience
        idle = employed[i] - need[i] - hoarding[i]
        if idle > NOISE and employed[i] <= 1.0:
            release(i, idle * layoff_speed[i], employed, trainees, market, usual, pool)


@njit(cache=True)
def affordable(longer: float, price: float, spare: float) -> float:
    """Hours that can be paid for, of those that are asked, at a price for all hours of a usual day."""
    return max(spare, 0.0) / price if price > 0.0 and longer * price > spare else longer


@njit(cache=True)
def plan_overtime(
    demand: Any, capacity: Any, ceiling: Any, most: Any, most_days: Any, rest: Any, extra: Any, saved: Any,
    priced: bool, pay: Any, wages: Any, cash: Any, reserve: Any, cash_target: Any, scale: Any,
) -> None:  # fmt: skip
    """Longer hours tomorrow where today's orders could have been met with more hands; in place.

    The hours are in proportion to what is ``saved`` of the days of overtime, so that they fade instead of stopping.
    Where they are ``priced``, nobody plans more of them than cash above the reserve pays at today's ``wages``.
    """
    for i in range(len(extra)):
        usual = capacity[i] / (1.0 + extra[i]) if extra[i] > 0.0 else capacity[i]
        asked = min(demand[i], ceiling[i])
        longer = 0.0
        if asked > usual * (1.0 + NOISE) and usual > 0.0:
            longer = min(asked / usual - 1.0, most[i] * saved[i] / max(most_days[i], 1.0))
        if priced and longer > 0.0:
            longer = affordable(longer, pay[i] * wages[i], cash[i] - reserve[i] * scale[i] * cash_target[i])
        if longer > 0.0:
            saved[i] = max(saved[i] - longer / most[i], 0.0)
        if saved[i] < most_days[i]:
            saved[i] += rest[i] * (most_days[i] - saved[i])
        if extra[i] != longer:
            extra[i] = longer
