"""A comparison in words and tables for a terminal: no label without its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecosim.resilience.comparison import EFFECTS, SHARES
from ecosim.resilience.judged import pairing
from ecosim.resilience.recovery import recovery_of

if TYPE_CHECKING:
    from ecosim.resilience.comparison import Comparison
    from ecosim.resilience.pairwise import Dominance
    from ecosim.resilience.responses import Responses


def told(comparison: Comparison) -> list[str]:
    """Every line of it."""
    base = comparison.responses[comparison.first]
    said = [
        f"Same shock, same luck: {len(comparison.responses)} scenarios, {base.made.firms:,} firms, {base.made.days:,} "
        f"days, seed {base.seed}; {len(base.x)} intensities of {base.made.axis} up to {base.x[-1]:.4g} "
        f"{base.made.unit}.",
        "",
        "Verdicts, " + next(iter(comparison.verdicts.values())).correction,
    ]
    for name, verdict in comparison.verdicts.items():
        responses = comparison.responses[name]
        said += [f"{name}: {verdict}", f"  {_recovery(responses)}; {pairing(responses)}"]
    said += ["", f"Effects at full strength, against {comparison.first} (paired; t intervals, each 95 % for itself)"]
    said += _effects(comparison)
    said += ["", "Who loses less, by paired differences of output at every intensity"]
    said += [_dominance(name, comparison.first, of) for name, of in comparison.dominance.items()]
    said += ["", "What is kept to be resilient: compare like with like", *_costs(comparison)]
    if comparison.remarks:
        said += ["", *comparison.remarks]
    return said


def _recovery(of: Responses) -> str:
    """Days to recover at full strength, by Kaplan-Meier where runs end first."""
    days, watched = of.outcomes["days_to_recover"][:, -1], of.outcomes["days_watched"][:, -1]
    found = recovery_of(np.where(np.isnan(days), watched, days), ~np.isnan(days))
    recovered = f"{int(found.recovered.sum())} of {len(days)} recovered"
    if np.isinf(found.median.value):
        return f"median days to recover: more than the {watched.max():.0f} watched; {recovered}"
    return f"median days to recover {found.median}; {recovered}"


def _effects(comparison: Comparison) -> list[str]:
    last = comparison.effects[comparison.effects["intensity"] == 1.0]
    rows: list[tuple[str, ...]] = [
        ("scenario", "outcome", comparison.first, "other", "effect", "95 % interval", "n", "pairing")
    ]
    for row in last.to_dict("records"):
        scale, unit = (100.0, " %") if row["outcome"] in SHARES else (1.0, "")
        first, other, effect, low, high = (
            scale * (row[key] or 0.0) + 0.0 for key in ("first", "other", "effect", "low", "high")
        )
        worth = "-" if np.isnan(row["variance_ratio"]) else f"{row['variance_ratio']:.3g}x"
        rows.append(
            (
                row["scenario"], EFFECTS[row["outcome"]], f"{first:.3g}{unit}", f"{other:.3g}{unit}",
                f"{effect:+.3g}{' points' if unit else ''}", f"[{low:+.3g}, {high:+.3g}]", str(row["n"]), worth,
            )
        )  # fmt: skip
    return _aligned(rows)


def _costs(comparison: Comparison) -> list[str]:
    rows: list[tuple[str, ...]] = [
        ("scenario", "stocks, days of output", "spare capacity", "links a firm", "usual output a day")
    ]
    for row in comparison.costs().to_dict("records"):
        spare = f"{100 * row['spare_capacity'] + 0.0:.3g} %"
        rows.append(
            (row["scenario"], f"{row['stock_days']:.3g}", spare, f"{row['links']:.3g}", f"{row['output_a_day']:,.0f}")
        )
    return _aligned(rows)


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Columns of equal width: words to the left, numbers to the right."""
    wide = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    words = 2 if len(rows[0]) > 5 else 1
    return [
        "  " + "  ".join(cell.ljust(wide[at]) if at < words else cell.rjust(wide[at]) for at, cell in enumerate(row))
        for row in rows
    ]


def _dominance(name: str, first: str, of: Dominance) -> str:
    relation = {
        "A dominates": f"{name} dominates {first}: it loses no more at any intensity, and less at some",
        "B dominates": f"{first} dominates {name}: it loses no more at any intensity, and less at some",
        "they cross": f"{name} and {first} cross: each loses less at some intensity",
        "equal": f"{name} and {first} respond alike in every replicate",
        "undecided": f"{name} and {first}: neither dominance nor a crossing is shown",
    }[of.relation]
    best, worst = int(of.difference.argmax()), int(of.difference.argmin())

    def at(k: int) -> str:
        low, high = 100 * of.low[k] + 0.0, 100 * of.high[k] + 0.0
        return f"{100 * of.difference[k]:+.3g} % [{low:+.3g}, {high:+.3g}] at x = {of.x[k]:.4g}"

    where = at(best) if best == worst else f"from {at(worst)} to {at(best)}"
    tests = ", ".join(f"{name} {p:.2g}" for name, p in of.p_values.items())
    return f"  {relation} (A - B {where}; n = {of.n}; P {tests}, A being {name})."
