"""What each mechanism does: alone on the published core, and left out of all, under three shocks.

Every variant lives the same seeds, beside an undisturbed twin of its own, so effects are paired differences: "alone" is
core with the mechanism (and those it needs) minus core; "with" is the default world minus the default world without it
(and without those that need it). Positive loss is worse.

    python experiments/ablation.py --replicates 10 --out docs
    python experiments/ablation.py --quick
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

import ecosim
from ecosim.config.kinds import find
from ecosim.mechanisms.mechanism import SEQUENCE

SHOCKS: dict[str, dict[str, Any]] = {
    "flood": {
        "kind": "outage", "name": "flood", "who": {"region": "Riverside"}, "when": 20, "severity": 0.7,
        "recovery": {"law": "exponential", "days": 30, "start": 5},
    },
    "slump": {"kind": "pulse", "name": "slump", "channel": "demand", "when": 20, "days": 60, "factor": 0.6, "ease": 30},
    "hubs": {
        "kind": "outage", "name": "hubs", "who": {"top": 5, "by": "clients"}, "when": 20, "severity": 1.0,
        "recovery": {"law": "uniform", "days": 60},
    },
}  # fmt: skip
OUTCOMES = {
    "loss": "output lost against the twin, % of the twin's",
    "disturbed": "days with output below 98 % of the twin's",
    "failures": "firms that closed or fell below half of usual output, beyond the twin's, % of firms",
    "gini": "Gini coefficient of output in the last tenth of the run, minus the twin's",
}
#: Single parameters that are behind effects of a surprising sign: the default world is run with each of these changed.
REASONS: dict[str, dict[str, float]] = {
    "rebuilding costs nothing": {"mechanisms.recovery.rebuild_cost": 0.0},
    "no permits, and heavy damage is repaired as fast": {
        "mechanisms.recovery.permit_days": 0.0, "mechanisms.recovery.drag": 0.0,
    },
    "nobody averages what it sees": {"mechanisms.autonomy.habit": 0.0},
    "nobody comes for the district as a whole": {"mechanisms.customers.joint_visits": 0.0},
    "partners share nothing": {"mechanisms.collaboration.coupling": 0.0},
    "trials take no capacity": {"mechanisms.experiments.cost": 0.0},
    "no early warnings": {"mechanisms.continuity.foresight": 0.0},
    "people live as usual until nothing is left": {"mechanisms.income.precaution": 0.0},
    "nobody sets aside a reserve out of fear": {"mechanisms.judgement.reserve_cost": 10.0},
}  # fmt: skip
NEAR = 0.98
NEGLIGIBLE = {"loss": 0.01, "disturbed": 0.1, "failures": 0.05, "gini": 1e-4}  # effects that are told as 0


def needed(kind: str) -> set[str]:
    """A mechanism and all it cannot do without."""
    return {kind}.union(*(needed(other) for other in find("mechanisms", kind).needs))


def variants(world: ecosim.Scenario) -> dict[str, ecosim.Scenario]:
    """The core, the default world, each mechanism alone, and each left out."""
    parts = {part.kind: part for part in world.mechanisms}

    def only(kinds: set[str]) -> ecosim.Scenario:
        return world.with_({"mechanisms": [part for kind, part in parts.items() if kind in kinds]})

    found = {"core": only(set()), "all": world}
    for kind in sorted(parts, key=SEQUENCE.index):
        found[f"alone: {kind}"] = only(needed(kind))
        found[f"without: {kind}"] = only({other for other in parts if kind not in needed(other)})
    return found


def gini(values: np.ndarray) -> float:
    """Gini coefficient of non-negative values."""
    ordered = np.sort(values)
    ranks = np.arange(1, len(ordered) + 1)
    return float((2 * ranks - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum()))


def live(scenario: ecosim.Scenario) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Total production (days,), which firms failed (firms,), and output of firms late in the run (firms,)."""
    eco = ecosim.Ecosystem(scenario)
    firms = eco.world.firms
    closed = np.zeros(firms.rows, dtype=bool)
    late = np.zeros(firms.rows)
    last = scenario.days - max(1, scenario.days // 10)
    for day in range(scenario.days):
        eco.run_for(1)
        if "alive" in firms:
            closed |= firms.alive == 0
        if day >= last:
            late += firms.production
    return eco.series["total_production"].to_numpy()[1:], closed | (firms.failed_on >= 0), late


def outcomes(task: tuple[str, ecosim.Scenario]) -> list[dict[str, Any]]:
    """Every outcome of one variant and seed under each shock, against one twin."""
    name, scenario = task
    calm, calm_failed, calm_late = live(scenario.with_({"shocks": []}))
    rows = []
    for shock, part in SHOCKS.items():
        lived, failed, late = live(scenario.with_({"shocks": [part]}))
        rows.append(
            {
                "variant": name,
                "shock": shock,
                "seed": scenario.seed,
                "loss": 100 * float((calm - lived).sum() / calm.sum()),
                "disturbed": int((lived < NEAR * calm).sum()),
                "failures": 100 * float(failed.mean() - calm_failed.mean()),
                "gini": gini(late) - gini(calm_late),
            }
        )
    return rows


def effects(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean effect of each mechanism and half the width of its 95 % interval (Student), paired by seed."""
    rows = []
    wide = runs.pivot_table(index="seed", columns=["variant", "shock"], values=list(OUTCOMES))
    for kind in [name.removeprefix("alone: ") for name in runs["variant"].unique() if name.startswith("alone: ")]:
        for shock in SHOCKS:
            for outcome in OUTCOMES:
                cell = wide[outcome]
                alone = cell["alone: " + kind, shock] - cell["core", shock]
                beside = cell["all", shock] - cell["without: " + kind, shock]
                rows.append((kind, shock, outcome, *_interval(alone), *_interval(beside), len(alone)))
    columns = ["mechanism", "shock", "outcome", "alone", "alone_ci", "with", "with_ci", "n"]
    return pd.DataFrame(rows, columns=columns)


def reasons(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean change of the loss that each of `REASONS` makes to the default world, paired by seed, by shock."""
    wide = runs.pivot_table(index="seed", columns=["variant", "shock"], values="loss")
    rows = []
    for reason in REASONS:
        cells = [_interval(wide[reason, shock] - wide["all", shock]) for shock in SHOCKS]
        rows.append((reason, *(f"{mean:+.2g} ± {half:.2g}" for mean, half in cells)))
    return pd.DataFrame(rows, columns=["default world, but", *SHOCKS])


def _interval(values: pd.Series) -> tuple[float, float]:
    n = len(values)
    half = float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    return float(values.mean()), half


def page(runs: pd.DataFrame, table: pd.DataFrame, how: str, why: pd.DataFrame | None = None) -> str:
    """The table as Markdown: what is clear of zero is bold."""
    lines = ["# What each mechanism does", "", how, ""]
    lines += [f"- **{name}**: {meaning}" for name, meaning in OUTCOMES.items()]
    limits = ", ".join(f"{limit:g} ({name})" for name, limit in NEGLIGIBLE.items())
    lines += [
        "",
        'Bold where the interval excludes 0; "none" where not a bit changed; 0 where mean and interval are below',
    ]
    lines += [f"{limits}."]
    lines += ["", "Means without any mechanism (core) and with all:", ""]
    lines += ["| world | shock | " + " | ".join(OUTCOMES) + " |", "|---" * (2 + len(OUTCOMES)) + "|"]
    base = runs[runs["variant"].isin(["core", "all"])].groupby(["variant", "shock"])[list(OUTCOMES)].mean()
    for (world, shock), row in base.iterrows():
        lines.append(f"| {world} | {shock} | " + " | ".join(f"{row[name]:.3g}" for name in OUTCOMES) + " |")
    for outcome, meaning in OUTCOMES.items():
        lines += ["", f"## {outcome}", "", f"Effect on {meaning}.", ""]
        lines += ["| mechanism | " + " | ".join(f"{shock}: alone | {shock}: with" for shock in SHOCKS) + " |"]
        lines += ["|---" * (1 + 2 * len(SHOCKS)) + "|"]
        some = table[table["outcome"] == outcome].set_index(["mechanism", "shock"], drop=False)
        for kind in some.index.get_level_values(0).unique():
            cells = [_cell(some.loc[(kind, shock)], way) for shock in SHOCKS for way in ("alone", "with")]
            lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    if why is not None:
        lines += [
            "",
            "## Single parameters behind surprising signs",
            "",
            "Change of the loss, % of the twin's output.",
            "",
        ]
        lines += ["| " + " | ".join(why.columns) + " |", "|---" * len(why.columns) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in why.itertuples(index=False)]
    return "\n".join(lines) + "\n"


def _cell(row: pd.Series, way: str) -> str:
    mean, half = row[way], row[f"{way}_ci"]
    if mean == 0 and not half > 0:
        return "none"
    if abs(mean) < NEGLIGIBLE[row["outcome"]] and half < NEGLIGIBLE[row["outcome"]]:
        return "0"
    text = f"{round(mean, 12):+.2g} ± {half:.2g}"  # differences of equal means leave the dust of rounding
    return f"**{text}**" if abs(mean) > half else text


def main() -> None:
    """Run all variants and write the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--replicates", type=int, default=10)
    asked.add_argument("--firms", type=int, default=300)
    asked.add_argument("--days", type=int, default=240)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--only", nargs="*", default=None, help="these mechanisms only")
    asked.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    asked.add_argument("--out", type=Path, default=None, help="folder for ablation.md and ablation.csv")
    given = asked.parse_args()
    if given.quick:
        given.replicates, given.firms, given.days = 2, 120, 60
    world = ecosim.load("default_world").with_({"economy.firms": given.firms, "days": given.days, "shocks": []})
    chosen = variants(world)
    if given.only is not None:
        chosen = {name: part for name, part in chosen.items() if name.partition(": ")[2] in {"", *given.only}}
    if given.only is None:
        chosen |= {reason: world.with_(changes) for reason, changes in REASONS.items()}
    tasks = [
        (name, scenario.with_({"seed": seed}))
        for seed in range(1, given.replicates + 1)
        for name, scenario in chosen.items()
    ]
    with ProcessPoolExecutor(given.workers) as pool:
        runs = pd.DataFrame([row for rows in pool.map(outcomes, tasks) for row in rows])
    table = effects(runs)
    how = (
        f"`python experiments/ablation.py --replicates {given.replicates} --firms {given.firms} --days {given.days}`, "
        'mean and half-width of the 95 % interval of paired differences. "alone" adds the mechanism (and those it '
        'needs) to the published core; "with" adds it to the default world that lacks only it (and those that need it).'
    )
    text = page(runs, table, how, reasons(runs) if given.only is None else None)
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "ablation.md").write_text(text, encoding="utf-8")
        table.to_csv(given.out / "ablation.csv", index=False)
    print(text)


if __name__ == "__main__":
    main()
