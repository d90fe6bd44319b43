"""What happened in a run, in figures and in words a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.report import aid
from ecosim.shocks.pulse import Pulse
from ecosim.shocks.strike import SPREAD

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.model import Ecosystem

RECOVERED = 0.01  # deviation from the twin within which output counts as recovered
RECOVERED_DAYS = 7  # days for which it must hold
NOTICEABLE = 0.05  # percent below which a figure would be printed as nothing
LAST = 7  # days at the end over which it is said where output stands
UNFINISHED = 0.25  # percent of the twin's output that the end may be off before it is told
LITTLE = 0.01  # days of all output below which a debt is next to nothing
# A second dip is told from a point of output on, and from a twentieth of the first: smaller ones are what chance makes
# of a run with mechanisms (tenths of a point), while main_street falls again by a month-long 9 % of its first dip.
RELAPSE = (0.01, 0.05)
POOR_FIT = 0.01  # error of the balance above which it is said
NAMED = 5  # firms and sectors that are named
FIRST = ("firm", "sector", "region", "failed_on")  # what is said of the first to fail


def summarise(eco: Ecosystem, series: pd.DataFrame, firms: pd.DataFrame, closures: tuple[int, int]) -> dict[str, Any]:
    """Figures of a finished run. Losses are against the unshocked twin; amounts in currency units.

    ``closures`` is how many times a firm went out of business, in the run and in its twin.
    """
    lived = series.loc[0:]
    made, calm = (lived[name].to_numpy() for name in ("total_production", "twin_total_production"))
    ratio = np.divide(
        made, calm, out=np.ones(len(made)), where=calm > 0
    )  # where the twin makes nothing, nothing is lost
    bottom = int(np.argmin(ratio))
    recovered = _recovery(ratio, bottom)
    shocks = _shocks(eco, firms, len(lived))
    over = (lived["total_production"] - lived["twin_total_production"]).clip(lower=0).iloc[bottom:]
    direct = float(lived["capacity_lost"].sum())
    loss = {
        name: float((lived[f"twin_{name}"] - lived[name]).sum())
        for name in ("total_production", "value_added", "final_consumption")
    }
    percent = {
        f"{name.removeprefix('total_')}_percent": 100.0 * value / float(lived[f"twin_{name}"].sum())
        for name, value in loss.items()
    }
    return {
        "name": eco.scenario.name,
        "days": len(lived),
        "seed": eco.seed,
        "economy": {
            "firms": len(firms),
            "links": len(eco.world.plan.flow),
            "sectors": int(firms["sector"].nunique()),
            "regions": int(firms["region"].nunique()),
            "output_a_day": float(series["total_production"].iloc[0]),
            "headroom": float(eco.scenario.economy.headroom),
            **({"balance": eco.world.plan.notes} if eco.world.plan.notes else {}),
        },
        "shocks": shocks,
        "policies": aid.told(eco),
        "remarks": list(eco.world.remarks),
        "bottom": {"day": bottom, "production_percent_of_twin": 100.0 * float(ratio[bottom])},
        "largest_deviation_percent": 100.0 * float(np.abs(ratio - 1).max()),
        "end_percent_of_twin": 100.0 * float(ratio[-LAST:].mean()),
        "recovered_on": recovered,
        "loss": {name.removeprefix("total_"): value for name, value in loss.items()} | percent,
        "made_good_percent": 100.0 * float(over.sum() / lived["twin_total_production"].sum()),
        "direct_capacity_lost": direct,
        "goods_lost": float(lived["goods_lost"].sum()),
        "goods_lost_percent": 100.0 * float(lived["goods_lost"].sum() / lived["twin_total_production"].sum()),
        **({"goods_destroyed": float(lived["goods_destroyed"].iloc[-1])} if "goods_destroyed" in lived else {}),
        "stock_percent_at_end": 100.0 * float(lived["stock"].iloc[-1] / series["stock"].iloc[0]),
        "relapse": _relapse(ratio, bottom, recovered, shocks),
        "failed": _failed(firms),
        "closures": {"run": closures[0], "twin": closures[1]},
        "bank": _bank(firms),
        "worst_sectors": _worst_sectors(firms),
    }


def _shocks(eco: Ecosystem, firms: pd.DataFrame, days: int) -> list[dict[str, Any]]:
    shocks: tuple[Any, ...] = eco.scenario.shocks
    found = [_shock(shock, eco.world.memory.get(shock.label, {}), firms, days) for shock in shocks]
    return sorted(found, key=lambda shock: days if shock["day"] is None else shock["day"])


def _shock(shock: Any, kept: dict[str, Any], firms: pd.DataFrame, days: int) -> dict[str, Any]:
    """What is told of one shock; one of a class of the user's may keep nothing of whom it hits."""
    when = getattr(shock, "when", None)
    struck_on = [when] if isinstance(when, int) else []
    rows = kept.get("rows", np.empty(0, dtype=np.int64))
    spread = 0
    if "origin" in kept:
        on = kept["first"] > 0
        rows, own = np.unique(rows[on]), on & (kept["origin"] != SPREAD)
        struck_on = np.unique(kept["day"][own]).tolist()
        spread = len(rows) - len(np.unique(kept["rows"][own]))
    pulse = {"channel": shock.channel, "factor": shock.factor} if isinstance(shock, Pulse) else {}
    if pulse and len(struck_on) == 1:
        pulse |= {"until": struck_on[0] + shock.days, "over": struck_on[0] + shock.days + shock.ease}
    return {
        "name": shock.label,
        "kind": shock.kind,
        "damages": bool(getattr(shock, "damages", False)),
        "day": struck_on[0] if struck_on else None,
        "struck_on": struck_on,
        "too_late": bool(struck_on) and struck_on[0] >= days,
        "firms": len(rows) if "rows" in kept else None,
        "spread_to": spread,
        "firms_percent": 100.0 * len(rows) / len(firms),
        "output_percent": 100.0 * float(firms["output"].iloc[rows].sum() / firms["output"].sum()),
        **pulse,
    }


def _recovery(ratio: Any, bottom: int) -> int | None:
    """First day after the bottom from which output stays within 1 % of the twin for seven days, or None."""
    if np.abs(ratio - 1).max() <= RECOVERED:
        return None
    near = np.abs(ratio - 1) <= RECOVERED
    for day in range(bottom, len(ratio) - RECOVERED_DAYS + 1):
        if near[day : day + RECOVERED_DAYS].all():
            return int(day)
    return None


def _relapse(ratio: Any, bottom: int, recovered: int | None, shocks: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The lowest point of a second dip that follows a rise after the bottom, or None where it is no more than noise.

    What is lost of a boom, above the twin, is no dip. ``shocks`` are those that began since output had recovered, or
    else since it was highest.
    """
    after = np.minimum(ratio[bottom:], 1.0)
    fall = np.maximum.accumulate(after) - after
    low = int(np.argmax(fall))
    points, share = RELAPSE
    if fall[low] <= max(points, share * (1.0 - after[0])):
        return None
    peak = bottom + low - int(np.argmax(after[:low][::-1])) - 1  # the last of equals
    since = peak if recovered is None else min(peak, recovered)
    began = [
        {"name": shock["name"], "day": day}
        for shock in shocks
        for day in shock["struck_on"]
        if since <= day <= bottom + low
    ]
    return {
        "day": bottom + low,
        "production_percent_of_twin": 100.0 * float(after[low]),
        "shocks": began,
        "recovered_on": _recovery(ratio, bottom + low),
    }


def _failed(firms: pd.DataFrame) -> dict[str, Any]:
    failed = firms[firms["failed_on"] >= 0]
    because = failed[failed["twin_failed_on"] < 0]
    spared = because[~because["struck"]].sort_values(["failed_on", "output"], ascending=[True, False], kind="stable")
    first = spared.head(NAMED)
    return {
        "firms": len(failed),
        "percent": 100.0 * len(failed) / len(firms),
        "twin": int((firms["twin_failed_on"] >= 0).sum()),
        "only_shocked": len(because),
        "undamaged": len(spared),
        "first_undamaged": [
            {"firm": firm, "sector": sector, "region": region, "day": int(day)}
            for firm, sector, region, day in zip(*(first[name].tolist() for name in FIRST), strict=True)
        ],
    }


def _bank(firms: pd.DataFrame) -> dict[str, Any] | None:
    """What firms owe the bank at the end, where finance was on."""
    if not {"cash", "debt", "distress"} <= set(firms):
        return None
    owing = firms["debt"] > 1e-6 * firms["output"]  # less is rounding
    days = float(firms["debt"][owing].sum() / firms["output"].sum())
    return {"firms": int(owing.sum()), "percent": 100.0 * float(owing.mean()), "days_of_output": days}


def _worst_sectors(firms: pd.DataFrame) -> list[dict[str, Any]]:
    by = firms.groupby("sector", observed=True)[["lost", "produced"]].sum()
    by["percent"] = 100.0 * by["lost"] / (by["lost"] + by["produced"])
    worst = by[by["percent"] > 0].nlargest(NAMED, "percent")
    return [{"sector": str(name), "lost_percent": float(row["percent"])} for name, row in worst.iterrows()]


def sentences(summary: dict[str, Any]) -> list[str]:
    """The summary as plain sentences."""
    economy, loss = summary["economy"], summary["loss"]
    told = [
        f"{_count(economy['firms'], 'firm')} in {_count(economy['sectors'], 'sector')} and "
        f"{_count(economy['regions'], 'region')}, joined by {_count(economy['links'], 'supply link')}, "
        f"lived {_count(summary['days'], 'day')} (seed {summary['seed']})."
    ]
    told += _fit(economy.get("balance", {}))
    told += [_what_struck(shock, summary["days"]) for shock in summary["shocks"] if shock["firms"] != 0]
    told += summary["remarks"] + aid.sentences(summary.get("policies", []))
    if not summary["shocks"]:
        told.append("No shock struck: the economy was left to itself.")
    if summary["largest_deviation_percent"] == 0:
        told.append("Nothing was lost: output stayed at the level of the undisturbed twin.")
        return told + _who_owes(summary["bank"])
    if summary["largest_deviation_percent"] < NOTICEABLE and abs(loss["production_percent"]) < NOTICEABLE:
        told.append("Output stayed at the level of the undisturbed twin, to within 0.05 %.")
        return told + _who_owes(summary["bank"])
    told += _course(summary)
    told.append(
        f"Lost against the twin: {loss['production_percent']:.2f} % of output{_made_good(summary)}, "
        f"{loss['value_added_percent']:.2f} % of value added, {loss['final_consumption_percent']:.2f} % of what "
        "customers buy."
    )
    told += _tags(summary.get("tags", {}))
    told.append(_direct_and_indirect(summary))
    told += _cushion(summary)
    told += _who_failed(summary)
    told += _who_closed(summary["closures"])
    told += _who_owes(summary["bank"])
    worst = [item for item in summary["worst_sectors"] if item["lost_percent"] >= NOTICEABLE]
    if worst:
        named = ", ".join(f"{item['sector']} {item['lost_percent']:.1f} %" for item in worst[:3])
        told.append(f"Lost the largest shares of their own output: {named}.")
    return told


def _tags(tags: dict[str, dict[str, str]]) -> list[str]:
    told = []
    for name, tag in tags.items():
        words = tag["is"].replace("_", " ")
        if tag["claimed"] != tag["is"]:
            told.append(
                f"{name} is a {words} and no {tag['claimed'].replace('_', ' ')}: the loss stayed within the 99.9 % "
                "quantile of what was lost in training."
            )
        else:
            told.append(f"{name} is a {words}.")
    return told


def _fit(balance: dict[str, Any]) -> list[str]:
    missed = max(balance.get("worst_sector_error", 0.0), balance.get("total_output_error", 0.0))
    if missed <= POOR_FIT:
        return []
    return [f"The network cannot carry this economy's flows: outputs miss their target by up to {100 * missed:.1f} %."]


def _what_struck(shock: dict[str, Any], days: int) -> str:
    if shock["too_late"]:
        return f"{shock['name']} is set for day {shock['day']}, after the last day ({days - 1}): it did not strike."
    if shock["day"] is None or shock["firms"] is None:
        kind = "" if shock["kind"] == shock["name"] else f" ({shock['kind']})"
        return f"{shock['name']}{kind} acted over time."
    if "until" in shock and not shock["spread_to"]:
        return _what_pulsed(shock, days)
    times, last = len(shock["struck_on"]), shock["struck_on"][-1]
    when = f"Day {shock['day']}" if times == 1 else f"On {times} days, {shock['day']} to {last}"
    spread = f", {shock['spread_to']:,} of them because it spread," if shock["spread_to"] else ""
    return (
        f"{when}: {shock['name']} hit {_count(shock['firms'], 'firm')} ({shock['firms_percent']:.1f} %){spread} "
        f"with {shock['output_percent']:.1f} % of all output."
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _what_pulsed(shock: dict[str, Any], days: int) -> str:
    last = min(shock["until"], days) - 1
    when = f"Day {shock['day']}" + (f" to {last}" if last > shock["day"] else "")
    name = "" if shock["name"] == shock["kind"] else f" ({shock['name']})"
    eased = f", back to the usual by day {shock['over']}" if shock["until"] < shock["over"] < days else ""
    return (
        f"{when}{name}: {shock['channel'].replace('_', ' ')} at {100 * shock['factor']:.4g} % of the usual for "
        f"{_count(shock['firms'], 'firm')} ({shock['firms_percent']:.1f} %){eased}."
    )


def _course(summary: dict[str, Any]) -> list[str]:
    """How far output fell, and when it was back, day by day."""
    bottom, recovered, relapse = summary["bottom"], summary["recovered_on"], summary["relapse"]
    told = []
    if bottom["production_percent_of_twin"] < 100 - NOTICEABLE:
        percent = f"{bottom['production_percent_of_twin']:.1f} %"
        told.append(f"The bottom came on day {bottom['day']}, with output at {percent} of the undisturbed twin's.")
    if summary["largest_deviation_percent"] <= 100 * RECOVERED:
        return [*told, "Output never left the twin's by more than 1 %.", *_end(summary)]
    if relapse is None:
        return [*told, _back(recovered), *_end(summary)]
    if recovered is not None and recovered < relapse["day"]:
        told.append(_back(recovered))
    return [*told, _fell_again(relapse), _back(relapse["recovered_on"]), *_end(summary)]


def _end(summary: dict[str, Any]) -> list[str]:
    """Where it stood at the end, if that is not where the twin stood: what is lost goes on, unseen."""
    end = summary["end_percent_of_twin"]
    if abs(end - 100.0) < UNFINISHED:
        return []
    return [f"In the last week output was at {end:.1f} % of the twin's: a longer run would tell more."]


def _back(day: int | None) -> str:
    if day is None:
        return "Output was not back within 1 % of the twin for a week by the end."
    return f"From day {day} output was back within 1 % of the twin for a week or more."


def _fell_again(relapse: dict[str, Any]) -> str:
    low = f"to {relapse['production_percent_of_twin']:.1f} % on day {relapse['day']}"
    if not relapse["shocks"]:
        return f"It rose and fell again, {low}."
    each = [f"the {shock['name']} of day {shock['day']}" for shock in relapse["shocks"]]
    named = " and ".join(each) if len(each) <= 2 else f"{each[0]} and {len(each) - 1} more strikes"
    return f"Then {named} brought it down again, {low}."


def _made_good(summary: dict[str, Any]) -> str:
    """What was made above the twin's output since the bottom, which the loss is net of."""
    gain = summary["made_good_percent"]
    if gain < NOTICEABLE:
        return ""
    return f" ({summary['loss']['production_percent'] + gain:.2f} % less {gain:.2f} % made good later)"


def _cushion(summary: dict[str, Any]) -> list[str]:
    """What output alone does not show: stocks that are gone, and goods that nobody got."""
    told = []
    left = summary["stock_percent_at_end"]
    if left < 99:
        told.append(
            f"Stocks of inputs ended at {left:.0f} % of what they were: a second shock would find less cushion."
        )
    destroyed = summary.get("goods_destroyed", 0.0) / summary["economy"]["output_a_day"]
    if destroyed > 0:
        told.append(
            f"Stocks of inputs worth {destroyed:.2g} days of all output were destroyed, beside what was not made."
        )
    if summary["goods_lost_percent"] >= NOTICEABLE:
        told.append(
            f"Goods worth {summary['goods_lost_percent']:.2f} % of output were made and delivered to nobody, a trait "
            "of rationing rule 2."
        )
    return told


def _direct_and_indirect(summary: dict[str, Any]) -> str:
    a_day, spare = summary["economy"]["output_a_day"], summary["economy"]["headroom"] > 0
    direct, total = summary["direct_capacity_lost"] / a_day, summary["loss"]["production"] / a_day
    if direct <= 0:
        return "No capacity was damaged."
    took = f"took capacity{', idle reserve included,' if spare else ''} worth {direct:.2f} days of all output"
    if total <= 0:
        return f"Damage {took}, and yet none was lost: others made more."
    if total <= direct:
        others = "spare capacity, stocks and other firms" if spare else "stocks and other firms"
        return f"Damage {took}; the loss was {total:.2f} days, because {others} took over."
    told = f"Damage itself {took}; the loss was {total:.2f} days"
    beside = [shock for shock in summary["shocks"] if shock["firms"] and not shock["damages"]]
    if beside:
        word = "pulses" if all("channel" in shock for shock in beside) else "other shocks"
        return f"{told}, with what the {word} did and what spread through the network."
    return f"{told}, {total / direct:.1f} times as much, because harm spread through the network."


def _who_closed(closures: dict[str, int]) -> list[str]:
    run, twin = closures["run"], closures["twin"]
    if not (run or twin):
        return []
    return [f"{run:,} business{'' if run == 1 else 'es'} closed, {twin:,} in the undisturbed twin."]


def _who_owes(bank: dict[str, Any] | None) -> list[str]:
    if bank is None:
        return []
    if not bank["firms"]:
        return ["At the end no firm owed the bank anything."]
    days = bank["days_of_output"]
    much = f"{days:.2g} days of all output" if days >= LITTLE else "next to nothing"
    share = f"{bank['percent']:.1f}" if bank["percent"] >= 0.1 else f"{bank['percent']:.2g}"
    return [f"At the end {_count(bank['firms'], 'firm')} ({share} %) owed the bank {much}."]


def _who_failed(summary: dict[str, Any]) -> list[str]:
    failed, everybody = summary["failed"], summary["economy"]["firms"]
    if not failed["firms"]:
        return ["No firm fell below half of its usual output."]
    fell = f"{_count(failed['firms'], 'firm')} ({failed['percent']:.1f} %) fell below half of"
    # Where a shock that damages nothing was on every firm, nobody was without.
    told_apart = not any(not shock["damages"] and shock["firms"] == everybody for shock in summary["shocks"])
    spared = f"{f'{failed["undamaged"]:,}' if failed['undamaged'] else 'none'} of {{}} without any damage of their own"
    if failed["twin"]:
        shock = "shock" if len(summary["shocks"]) == 1 else "shocks"
        told = [
            f"{fell} their usual output at some time, {failed['only_shocked']:,} of them only because of the {shock} "
            f"(the twin's did not){'; ' + spared.format('those') if told_apart else ''}."
        ]
    else:
        told = [f"{fell} the usual output{', ' + spared.format('them') if told_apart else ''}."]
    if failed["first_undamaged"]:
        first = failed["first_undamaged"][0]
        told.append(f"First of these: {first['firm']} ({first['sector']}, {first['region']}) on day {first['day']}.")
    return told
