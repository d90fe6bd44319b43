"""What happened in a run, in figures and in words a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.model import Ecosystem

RECOVERED = 0.01  # deviation from the twin within which output counts as recovered
RECOVERED_DAYS = 7  # days for which it must hold
NOTICEABLE = 0.05  # percent below which a figure would be printed as nothing
POOR_FIT = 0.01  # error of the balance above which it is said
NAMED = 5  # firms and sectors that are named
FIRST = ("firm", "sector", "region", "failed_on")  # what is said of the first to fail


def summarise(eco: Ecosystem, series: pd.DataFrame, firms: pd.DataFrame, closures: tuple[int, int]) -> dict[str, Any]:
    """Figures of a finished run. Losses are against the unshocked twin; amounts in currency units.

    ``closures`` is how many times a firm went out of business, in the run and in its twin.
    """
    lived = series.loc[0:]
    ratio = (lived["total_production"] / lived["twin_total_production"]).to_numpy()
    bottom = int(np.argmin(ratio))
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
            **({"balance": eco.world.plan.notes} if eco.world.plan.notes else {}),
        },
        "shocks": _shocks(eco, firms, len(lived)),
        "bottom": {"day": bottom, "production_percent_of_twin": 100.0 * float(ratio[bottom])},
        "largest_deviation_percent": 100.0 * float(np.abs(ratio - 1).max()),
        "recovered_on": _recovery(ratio, bottom),
        "loss": {name.removeprefix("total_"): value for name, value in loss.items()} | percent,
        "direct_capacity_lost": direct,
        "goods_lost": float(lived["goods_lost"].sum()),
        "goods_lost_percent": 100.0 * float(lived["goods_lost"].sum() / lived["twin_total_production"].sum()),
        "stock_percent_at_end": 100.0 * float(lived["stock"].iloc[-1] / series["stock"].iloc[0]),
        "relapse": _relapse(ratio, bottom),
        "failed": _failed(firms),
        "closures": {"run": closures[0], "twin": closures[1]},
        "worst_sectors": _worst_sectors(firms),
    }


def _shocks(eco: Ecosystem, firms: pd.DataFrame, days: int) -> list[dict[str, Any]]:
    found = []
    shocks: tuple[Any, ...] = eco.scenario.shocks
    for shock in shocks:
        memory = eco.world.memory.get(shock.label, {})
        when = getattr(shock, "when", None)
        rows = memory.get("rows", np.empty(0, dtype=np.int64))
        rows = rows[memory["first"] > 0] if "first" in memory else rows
        found.append(
            {
                "name": shock.label,
                "kind": shock.kind,
                "day": when,
                "too_late": when is not None and when >= days,
                "firms": len(rows) if "rows" in memory else None,
                "firms_percent": 100.0 * len(rows) / len(firms),
                "output_percent": 100.0 * float(firms["output"].iloc[rows].sum() / firms["output"].sum()),
            }
        )
    return found


def _recovery(ratio: Any, bottom: int) -> int | None:
    """First day after the bottom from which output stays within 1 % of the twin for seven days, or None."""
    if np.abs(ratio - 1).max() <= RECOVERED:
        return None
    near = np.abs(ratio - 1) <= RECOVERED
    for day in range(bottom, len(ratio) - RECOVERED_DAYS + 1):
        if near[day : day + RECOVERED_DAYS].all():
            return int(day)
    return None


def _relapse(ratio: Any, bottom: int) -> dict[str, Any] | None:
    """The lowest point of a second dip of over 1 % that follows a rise after the bottom, or None."""
    after = ratio[bottom:]
    peak_so_far = np.maximum.accumulate(after)
    low = int(np.argmax(peak_so_far - after))
    if peak_so_far[low] - after[low] <= RECOVERED:
        return None
    return {"day": bottom + low, "production_percent_of_twin": 100.0 * float(after[low])}


def _failed(firms: pd.DataFrame) -> dict[str, Any]:
    failed = firms[(firms["failed_on"] >= 0) & (firms["twin_failed_on"] < 0)]
    spared = failed[failed["damage"] == 0].sort_values(["failed_on", "output"], ascending=[True, False], kind="stable")
    first = spared.head(NAMED)
    return {
        "firms": len(failed),
        "percent": 100.0 * len(failed) / len(firms),
        "undamaged": len(spared),
        "first_undamaged": [
            {"firm": firm, "sector": sector, "region": region, "day": int(day)}
            for firm, sector, region, day in zip(*(first[name].tolist() for name in FIRST), strict=True)
        ],
    }


def _worst_sectors(firms: pd.DataFrame) -> list[dict[str, Any]]:
    by = firms.groupby("sector", observed=True)[["lost", "produced"]].sum()
    by["percent"] = 100.0 * by["lost"] / (by["lost"] + by["produced"])
    worst = by[by["percent"] > 0].nlargest(NAMED, "percent")
    return [{"sector": str(name), "lost_percent": float(row["percent"])} for name, row in worst.iterrows()]


def sentences(summary: dict[str, Any]) -> list[str]:
    """The summary as plain sentences."""
    economy, loss, failed = (summary[key] for key in ("economy", "loss", "failed"))
    told = [
        f"{_count(economy['firms'], 'firm')} in {_count(economy['sectors'], 'sector')} and "
        f"{_count(economy['regions'], 'region')}, joined by {_count(economy['links'], 'supply link')}, "
        f"lived {_count(summary['days'], 'day')} (seed {summary['seed']})."
    ]
    told += _fit(economy.get("balance", {}))
    told += [_what_struck(shock, summary["days"]) for shock in summary["shocks"]]
    if not summary["shocks"]:
        told.append("No shock struck: the economy was left to itself.")
    if summary["largest_deviation_percent"] == 0:
        return [*told, "Nothing was lost: output stayed at the level of the undisturbed twin."]
    if summary["largest_deviation_percent"] < NOTICEABLE and abs(loss["production_percent"]) < NOTICEABLE:
        return [*told, "Output stayed at the level of the undisturbed twin, to within 0.05 %."]
    told += _course(summary)
    told.append(
        f"Lost against the twin: {loss['production_percent']:.2f} % of output, {loss['value_added_percent']:.2f} % of "
        f"value added, {loss['final_consumption_percent']:.2f} % of what customers buy."
    )
    told.append(_direct_and_indirect(summary))
    told += _cushion(summary)
    told += _who_failed(failed)
    told += _who_closed(summary["closures"])
    worst = [item for item in summary["worst_sectors"] if item["lost_percent"] >= NOTICEABLE]
    if worst:
        named = ", ".join(f"{item['sector']} {item['lost_percent']:.1f} %" for item in worst[:3])
        told.append(f"Lost the largest shares of their own output: {named}.")
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
        return f"{shock['name']} ({shock['kind']}) acted over time."
    return (
        f"Day {shock['day']}: {shock['name']} hit {_count(shock['firms'], 'firm')} ({shock['firms_percent']:.1f} %) "
        f"with {shock['output_percent']:.1f} % of all output."
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _course(summary: dict[str, Any]) -> list[str]:
    """How far output fell, and when it was back."""
    bottom, recovered = summary["bottom"], summary["recovered_on"]
    told = []
    if bottom["production_percent_of_twin"] < 100 - NOTICEABLE:
        told.append(
            f"The bottom came on day {bottom['day']}, with output at {bottom['production_percent_of_twin']:.1f} % of "
            "the undisturbed twin's."
        )
    if summary["relapse"]:
        relapse = summary["relapse"]
        told.append(
            f"It rose and fell again, to {relapse['production_percent_of_twin']:.1f} % on day {relapse['day']}."
        )
    if summary["largest_deviation_percent"] <= 100 * RECOVERED:
        told.append("Output never left the twin's by more than 1 %.")
    elif recovered is not None:
        told.append(f"From day {recovered} output was back within 1 % of the twin for a week or more.")
    else:
        told.append("Output was not back within 1 % of the twin for a week by the end.")
    return told


def _cushion(summary: dict[str, Any]) -> list[str]:
    """What output alone does not show: stocks that are gone, and goods that nobody got."""
    told = []
    left = summary["stock_percent_at_end"]
    if left < 99:
        told.append(
            f"Stocks of inputs ended at {left:.0f} % of what they were: a second shock would find less cushion."
        )
    if summary["goods_lost_percent"] >= NOTICEABLE:
        told.append(
            f"Goods worth {summary['goods_lost_percent']:.2f} % of output were made and delivered to nobody, a trait "
            "of rationing rule 2."
        )
    return told


def _direct_and_indirect(summary: dict[str, Any]) -> str:
    a_day = summary["economy"]["output_a_day"]
    direct, total = summary["direct_capacity_lost"] / a_day, summary["loss"]["production"] / a_day
    if direct <= 0:
        return "No capacity was damaged."
    if total <= 0:
        return f"Damage took capacity worth {direct:.2f} days of all output, and yet none was lost: others made more."
    if total <= direct:
        return f"Damage took capacity worth {direct:.2f} days of all output; stocks kept the loss to {total:.2f} days."
    return (
        f"Damage itself took capacity worth {direct:.2f} days of all output; the loss was {total:.2f} days, "
        f"{total / direct:.1f} times as much, because harm spread through the network."
    )


def _who_closed(closures: dict[str, int]) -> list[str]:
    run, twin = closures["run"], closures["twin"]
    if not (run or twin):
        return []
    return [f"Businesses went out of business {_count(run, 'time')}, in the twin {_count(twin, 'time')}."]


def _who_failed(failed: dict[str, Any]) -> list[str]:
    if not failed["firms"]:
        return ["No firm fell below half of its usual output."]
    told = [
        f"{_count(failed['firms'], 'firm')} ({failed['percent']:.1f} %) fell below half of the usual output, "
        f"{failed['undamaged']:,} of them without any damage of their own."
    ]
    if failed["first_undamaged"]:
        first = failed["first_undamaged"][0]
        told.append(f"First of these: {first['firm']} ({first['sector']}, {first['region']}) on day {first['day']}.")
    return told
