"""What each intervention does alone: loss and failures avoided, spent, and avoided for each unit spent.

Every run lives the same seeds and the same shocks as the run without any policy, so effects are paired differences
(policy minus none, under the same shock), with 95 % intervals over replicates (Student's t; for the ratio, jackknife).
Amounts are in days of the whole economy's usual output, so that what was avoided and what was spent can be compared.
"Money alone" pays people as much as a measure of 0.1 % of output a day would, and does nothing else with it.

    python experiments/interventions.py --replicates 10 --out docs
    python experiments/interventions.py --quick
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

import ecosim
from ecosim import Ecosystem
from ecosim.config.kinds import known
from ecosim.report.aid import told
from ecosim.state import CLOSES

WORLD = {"economy.firms": 500, "days": 200}
SHOCKS: dict[str, dict[str, Any] | str] = {
    "peace": {},
    "flood": {
        "kind": "outage", "name": "flood", "who": {"region": "Riverside"}, "when": 30, "severity": 0.6,
        "recovery": {"law": "exponential", "days": 30, "start": 5},
    },
    "credit_crunch": "credit_crunch",
    "pandemic": "pandemic_year",
    "cloud_outage": "cloud_outage",
}  # fmt: skip
#: Where each belongs: all live through peace and the flood, some through what they were made for.
ALSO = {
    "emergency_grant": ("credit_crunch", "pandemic"),
    "loan_guarantee": ("credit_crunch", "pandemic"),
    "wage_subsidy": ("credit_crunch", "pandemic"),
    "payment_moratorium": ("credit_crunch", "pandemic"),
    "mutual_fund_seed": ("credit_crunch", "pandemic"),
    "digital_infrastructure": ("pandemic",),
    "skills_development": ("pandemic",),
    "demand_voucher": ("pandemic",),
    "platform_redundancy": ("cloud_outage",),
}
MONEY_ALONE = {"kind": "local_sourcing", "name": "money alone", "shift": 0.0, "cost": 0.001}
OUTCOMES = ("output", "consumption", "failures")


def variants(shock: str) -> dict[str, list[dict[str, Any]]]:
    """Policies that live through a shock, by name; the first is none."""
    kinds = [kind for kind in known("policies") if shock in {"peace", "flood", *ALSO.get(kind, ())}]
    return {"none": [], "money alone": [MONEY_ALONE], **{kind: [{"kind": kind}] for kind in kinds}}


def scenario(shock: str, days: int) -> ecosim.Scenario:
    """The default world with one of the troubles."""
    what = SHOCKS[shock]
    world = ecosim.load("default_world" if isinstance(what, dict) else what).with_(WORLD | {"days": days})
    return world.with_({"shocks": [what] if what else []}) if isinstance(what, dict) else world


def live(shock: str, days: int, replicate: int) -> list[dict[str, Any]]:
    """All variants of one replicate of a shock: they share one network."""
    found, plan = [], None
    for name, policies in variants(shock).items():
        eco = Ecosystem(scenario(shock, days).with_({"policies": policies}), blueprint=plan, replicate=replicate)
        plan = eco.world.plan
        eco.run_for(days)
        world, series = eco.world, eco.series.loc[0:]
        closed = np.unique(np.concatenate([[], *(e["rows"] for e in world.events if e["event"].startswith(CLOSES))]))
        failed = np.union1d(closed, np.flatnonzero(world.firms.failed_on >= 0)).astype(np.int64)
        row = {"shock": shock, "replicate": replicate, "policy": name}
        row |= {
            "output": series["total_production"].sum() / world.output_at_rest,
            "consumption": series["final_consumption"].sum() / world.output_at_rest,
            "failures": 100.0 * len(failed) / world.firms.rows,
            "spent": sum(each["spent"] - each["returned"] for each in told(eco)) / world.output_at_rest,
        }
        if name == "none":
            in_trouble = set(failed.tolist())
        elif policies:
            kept = world.memory[f"policy: {policies[0].get('name', policies[0]['kind'])}"]
            paid = kept["amount"] - kept["returned"]
            wasted = paid[[at not in in_trouble for at in range(len(paid))]].sum()
            row["deadweight"] = 100.0 * wasted / paid.sum() if paid.sum() > 0 else np.nan
        found.append(row)
    return found


def interval(values: np.ndarray) -> tuple[float, float]:
    """Mean and half of its 95 % interval."""
    n = len(values)
    half = stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
    return float(values.mean()), float(half)


def ratio(gain: np.ndarray, spent: np.ndarray) -> tuple[float, float]:
    """Ratio of means, and half of its 95 % interval by the jackknife."""
    n, whole = len(gain), gain.mean() / spent.mean()
    if n < 2:
        return whole, np.nan
    left_out = (gain.sum() - gain) / (spent.sum() - spent)
    error = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    return float(whole), float(stats.t.ppf(0.975, n - 1) * error)


def table(runs: pd.DataFrame) -> pd.DataFrame:
    """Paired effects, a row for each shock and policy."""
    rows = []
    for (shock, policy), some in runs.groupby(["shock", "policy"], sort=False):
        if policy == "none":
            continue
        none = runs[(runs["shock"] == shock) & (runs["policy"] == "none")].set_index("replicate")
        helped = some.set_index("replicate")
        row: dict[str, Any] = {
            "shock": shock,
            "policy": policy,
            "replicates": len(helped),
            "spent": helped["spent"].mean(),
        }
        gains = {name: (helped[name] - none[name]).to_numpy() for name in OUTCOMES}
        gains["failures"] = -gains["failures"]
        for name, values in gains.items():
            row[name], row[f"{name}_half"] = interval(values)
        row["per_unit"], row["per_unit_half"] = (np.nan, np.nan)
        if helped["spent"].mean() > 1e-9:
            row["per_unit"], row["per_unit_half"] = ratio(gains["consumption"], helped["spent"].to_numpy())
        row["deadweight"] = helped["deadweight"].mean()
        rows.append(row)
    return pd.DataFrame(rows)


def page(found: pd.DataFrame) -> str:
    """The same as Markdown, a table a shock."""
    lines = []
    for shock, rows in found.groupby("shock", sort=False):
        lines += ["", f"### {str(shock).replace('_', ' ').capitalize()}", ""]
        lines.append(
            "| policy | spent | consumption | output | failures avoided | consumption per unit spent | deadweight |"
        )
        lines.append("|---|---|---|---|---|---|---|")
        for row in rows.to_dict("records"):
            cells = [row["policy"], f"{row['spent']:.3f}"]
            cells += [f"{row[name]:+.3f} ± {row[f'{name}_half']:.3f}" for name in ("consumption", "output")]
            cells.append(f"{row['failures']:+.2f} ± {row['failures_half']:.2f}")
            free = np.isnan(row["per_unit"])
            cells.append("-" if free else f"{row['per_unit']:+.2f} ± {row['per_unit_half']:.2f}")
            cells.append("-" if np.isnan(row["deadweight"]) else f"{row['deadweight']:.0f} %")
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines).lstrip("\n") + "\n"


def main() -> None:
    """Live everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=10)
    parser.add_argument("--days", type=int, default=WORLD["days"])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--shocks", nargs="*", default=list(SHOCKS), choices=list(SHOCKS))
    parser.add_argument("--out", type=Path, help="folder for interventions.csv")
    parser.add_argument("--quick", action="store_true", help="one replicate of 60 days of the flood")
    asked = parser.parse_args()
    if asked.quick:
        asked.replicates, asked.days, asked.shocks = 1, 60, ["flood"]
    runs: list[dict[str, Any]] = []
    with ProcessPoolExecutor(asked.workers) as pool:
        for shock in asked.shocks:
            for some in pool.map(partial(live, shock, asked.days), range(asked.replicates)):
                runs += some
    found = table(pd.DataFrame(runs))
    if asked.out is not None:
        asked.out.mkdir(parents=True, exist_ok=True)
        found.to_csv(asked.out / "interventions.csv", index=False, float_format="%.6g")
    print(page(found))


if __name__ == "__main__":
    main()
