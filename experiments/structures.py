"""Published results on structure, in kind: do they come out here as well, by the engine as it is?

Six claims of the literature, each on networks of ecosim with the published core (no mechanism on). Replicates share
their seed across what is compared, so differences are paired; intervals are Student's, 95 %. What the claims are
compared by was written before the first run; variants that look for the reason of a disagreement came after it, and
docs/structures.md says which.

    python experiments/structures.py --replicates 20 --out docs
    python experiments/structures.py --quick
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ecosim.config import Scenario
from ecosim.model import Ecosystem
from ecosim.published import esri
from ecosim.shocks.outage import Outage
from ecosim.validation.worlds import plan_of, world_of

DAYS = 180
BLOW: dict[str, Any] = {
    "kind": "outage", "who": {"share": 0.05}, "when": 0, "severity": 0.5,
    "recovery": {"law": "exponential", "days": 30},
}  # fmt: skip
GOODS = ("Agriculture", "Mining", "Utilities", "Construction", "Manufacturing")
#: Sizes of the experiments: at full size, and quick.
FULL = {"firms": 1000, "days": DAYS, "small": 120, "swaps": 600, "table": 600}
QUICK = {"firms": 120, "days": 60, "small": 60, "swaps": 60, "table": 120}


def economy(firms: int, **changes: Any) -> Scenario:
    """Equal firms with five suppliers each, one to each product, and the usual blow."""
    plain = Scenario().with_(
        {"economy": {"kind": "uniform", "firms": firms, "inputs": 5}, "network": {"kind": "random", "suppliers": 5}}
    )
    return plain.with_({"mechanisms": [], "shocks": [BLOW], **changes})


def lived(scenario: Scenario, days: int) -> tuple[Ecosystem, dict[str, float]]:
    """Live a scenario of the core, whose twin stays at rest, and add up losses, % of the twin's total production."""
    eco = Ecosystem(scenario.with_({"days": days}))
    at_rest = float(eco.world.firms.output.sum())
    eco.run_for(days)
    series = eco.series.iloc[1:]
    lost = 100.0 * float(1.0 - series["total_production"].sum() / (days * at_rest))
    direct = 100.0 * float(series["capacity_lost"].sum() / (days * at_rest))
    return eco, {"loss": lost, "direct": direct, "indirect": lost - direct, "ratio": (lost - direct) / direct}


# --- 1: indirect loss, scale-freeness, substitutability, cycles -------------------------------------------------------


def indirect_loss(seed: int, size: dict[str, int]) -> Iterable[dict[str, Any]]:
    """Indirect loss by the power of attachment, by products among five suppliers, and with and without cycles."""
    variants: dict[tuple[str, str], dict[str, Any]] = {}
    for power in (0.0, 0.5, 1.0, 1.08, 1.3):
        variants["scale-freeness", f"attachment k^{power:g}"] = {
            "network.kind": "scale_free",
            "network.exponent": power,
        }
    for inputs in (1, 2, 5):
        variants["substitutability", f"{inputs} products among 5 suppliers"] = {"economy.inputs": inputs}
    hubs = [{**BLOW, "who": {"top": size["firms"] // 20, "by": "clients"}}]
    for power in (0.0, 1.08):
        variants["scale-freeness, the best connected struck", f"attachment k^{power:g}"] = {
            "network.kind": "scale_free", "network.exponent": power, "shocks": hubs,
        }  # fmt: skip
    for inputs in (1, 5):
        variants["substitutability, a fifth of capacity to spare", f"{inputs} products among 5 suppliers"] = {
            "economy.inputs": inputs, "economy.headroom": 0.2,
        }  # fmt: skip
    variants["cycles", "acyclic"] = {"network.kind": "acyclic"}
    variants["cycles", "acyclic, rewired"] = {"network": {"kind": "rewired", "suppliers": 5, "of": {"kind": "acyclic"}}}
    for (question, variant), change in variants.items():
        _, found = lived(economy(size["firms"], seed=seed, **change), size["days"])
        yield {"question": question, "variant": variant, "indirect": found["indirect"], "per direct": found["ratio"]}


# --- 2: speed of spread -----------------------------------------------------------------------------------------------


def speed(seed: int, size: dict[str, int]) -> Iterable[dict[str, Any]]:
    """Days until half of all firms that ever lose a hundredth of their output have done so, without recovery."""
    same = 0.05 * size["firms"] * 0.5  # firms' worth of capacity in every variant
    variants: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = {
        ("structure", "random"): ({"network.kind": "random"}, {"who": {"share": 0.05}, "severity": 0.5}),
        ("structure", "scale-free"): ({"network.kind": "scale_free"}, {"who": {"share": 0.05}, "severity": 0.5}),
        ("damage, scale-free", "spread: 50 % of each of 5 %"): (
            {"network.kind": "scale_free"}, {"who": {"share": 0.05}, "severity": 0.5}),
        ("damage, scale-free", "concentrated: all of each of 2.5 %"): (
            {"network.kind": "scale_free"}, {"who": {"count": round(same)}, "severity": 1.0}),
        ("damage, scale-free", "thin: 2.5 % of everybody"): ({"network.kind": "scale_free"}, {"severity": 0.025}),
    }  # fmt: skip
    for (question, variant), (change, blow) in variants.items():
        outage = {"kind": "outage", "when": 0, "recovery": None, **blow}
        eco = Ecosystem(economy(size["firms"], seed=seed, **change).with_({"shocks": [outage]}))
        usual, first = eco.world.firms.output.copy(), np.full(size["firms"], np.inf)
        lost = np.empty(size["days"])
        for day in range(size["days"]):
            eco.run_for(1)
            lost[day] = 100.0 * float(1.0 - eco.world.firms.production.sum() / usual.sum())
            first[(eco.world.firms.production < 0.99 * usual) & np.isinf(first)] = day
        others = first[first > 0]  # those hit by the blow itself fall on the first day
        reached = np.isfinite(others)
        yield {
            "question": question, "variant": variant,
            "days until half": float(np.median(others[reached])) if reached.any() else np.nan,
            "reached, % of the others": 100.0 * float(reached.mean()) if len(others) else np.nan,
            "days until a tenth of output is lost": float(np.argmax(lost >= 10.0)) if lost.max() >= 10.0 else np.nan,
            "days until half of the largest loss": float(np.argmax(lost >= 0.5 * lost.max())),
            "output lost on the last day, %": lost[-1],
        }  # fmt: skip


# --- 3: rewiring against systemic risk --------------------------------------------------------------------------------


def frames(plan: Any) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """An economy as the frames of `ecosim.published.esri`.

    As in Diem et al. (2022), firms of a sector can replace each other, and what makers of goods buy of makers of goods
    is essential; other inputs are not.
    """
    names = list(plan.firms.sector_names)
    sector = [names[at] for at in plan.firms.sector]
    firms = pd.DataFrame({"sector": sector, "market": sector})
    firms["revenue"] = plan.firms.final_demand + np.bincount(plan.supplier, plan.flow, minlength=len(sector))
    firms["weight"] = firms["revenue"]
    links = pd.DataFrame({"supplier": plan.supplier, "client": plan.buyer, "flow": plan.flow})
    essential = pd.DataFrame(1, index=names, columns=names)
    goods = [name for name in names if any(word in name for word in GOODS)]
    essential.loc[goods, goods] = 2
    return firms, links, essential


def risk(plan: Any, supplier: Any = None) -> Any:
    """ESRI of every firm (n,), with other suppliers of the same flows where given."""
    firms, links, essential = frames(plan)
    if supplier is not None:
        links["supplier"] = supplier
    return esri(firms, links, essential=essential).esri.to_numpy()


def _exchangeable(plan: Any, seed: int, most: int) -> list[tuple[int, int]]:
    """Pairs of links of one product whose flows differ by less than a tenth, in any order."""
    rng = np.random.Generator(np.random.Philox(seed))
    order = np.lexsort((plan.flow, plan.product))
    product, flow = plan.product[order], plan.flow[order]
    pairs = []
    for one in range(len(order)):
        other = one + 1
        while other < len(order) and product[other] == product[one] and flow[other] < 1.1 * flow[one]:
            pairs.append((int(order[one]), int(order[other])))
            other += 1
    return [pairs[at] for at in rng.permutation(len(pairs))[:most]]


def _impossible(plan: Any, supplier: Any, links: tuple[int, int]) -> bool:
    """Whether somebody would supply itself, or one buyer twice."""
    for link in links:
        mine = plan.buyer == plan.buyer[link]
        if supplier[link] == plan.buyer[link] or (supplier[mine] == supplier[link]).sum() > 1:
            return True
    return False


def rewiring(seed: int, size: dict[str, int]) -> Iterable[dict[str, Any]]:
    """Swap suppliers of equal flows of one sector wherever that lowers mean ESRI: sales and output stay as they are."""
    table = {"economy": {"kind": "table", "firms": size["small"], "preset": "us"}, "network.suppliers": 4}
    for kind in ("random", "scale_free", "core_periphery"):
        scenario = Scenario().with_({**table, "network.kind": kind, "seed": seed, "shocks": [], "mechanisms": []})
        plan = Ecosystem(scenario).world.plan
        supplier, before = plan.supplier.copy(), float(risk(plan).mean())
        now, accepted = before, 0
        for one, other in _exchangeable(plan, seed, size["swaps"]):
            tried = supplier.copy()
            tried[[one, other]] = supplier[[other, one]]
            if tried[one] == supplier[one] or _impossible(plan, tried, (one, other)):
                continue
            found = float(risk(plan, tried).mean())
            if found < now:
                supplier, now, accepted = tried, found, accepted + 1
        sales = [np.bincount(who, plan.flow, minlength=size["small"]) for who in (plan.supplier, supplier)]
        output = plan.firms.final_demand + sales[0]
        yield {
            "question": "rewiring", "variant": kind, "mean ESRI before, %": 100.0 * before,
            "cut of mean ESRI, %": 100.0 * (1.0 - now / before), "swaps made": accepted,
            "total output, change in %": 100.0 * float(sales[1].sum() / sales[0].sum() - 1.0),
            "a firm's output, mean change in %": 100.0 * float((np.abs(sales[1] - sales[0]) / output).mean()),
            **{f"engine, {name}": value for name, value in _lived_through(plan, supplier, size["days"]).items()},
        }  # fmt: skip


def _lived_through(plan: Any, supplier: Any, days: int) -> dict[str, float]:
    """Mean indirect loss after the outage of a single firm, before and after, over every third firm, by the engine."""
    found = []
    for sold_by in (plan.supplier, supplier):
        flow, product, buyer = plan.flow, plan.product, plan.buyer
        new = plan_of(plan.firms.final_demand, sold_by, buyer, flow, product)
        total = 0.0
        rows = range(0, len(plan.firms), 3)
        for row in rows:
            outage = Outage.model_validate({"who": {"firms": new.firm_name(row)}, "recovery": {"law": 2, "start": 30}})
            eco = world_of(new, shocks=[outage])
            eco.run_for(days)
            lost = days * eco.world.firms.output - eco.world.firms.produced
            total += float(lost.sum() - lost[row]) / float(days * eco.world.firms.output.sum()) / len(rows)
        found.append(100.0 * total)
    return {"indirect loss before, %": found[0], "change of it, %": 100.0 * (found[1] / found[0] - 1.0)}


# --- 4: critical inventory --------------------------------------------------------------------------------------------


def inventory(seed: int, size: dict[str, int]) -> Iterable[dict[str, Any]]:
    """Output and its volatility by days of stock, where every firm's capacity fluctuates for itself, day by day."""
    noise = {"kind": "ecosim.validation.jolts:Jolts", "depth": 0.6}
    days = 2 * size["days"]
    for question, change in (
        ("published rules", {}),
        ("calm orders", {"economy.smoothing_days": 60.0, "economy.rationing": 0}),
    ):
        for stock in (1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 15.0, 30.0):
            scenario = economy(size["firms"], seed=seed, **change).with_(
                {"economy.inventory_days": stock, "economy.headroom": 0.5, "shocks": [noise], "days": days}
            )
            eco = Ecosystem(scenario)
            at_rest = float(eco.world.firms.output.sum())
            eco.run_for(days)
            late = eco.series["total_production"].to_numpy()[-days // 2 :] / at_rest
            yield {
                "question": question, "variant": f"{stock:g} days of stock", "output, % of rest": 100.0 * late.mean(),
                "volatility, % of rest": 100.0 * late.std(),
            }  # fmt: skip


# --- 5: aggregation to sectors ----------------------------------------------------------------------------------------


def aggregation(seed: int, size: dict[str, int]) -> Iterable[dict[str, Any]]:
    """A tenth of each sector's capacity is lost: on the sectors' table, and by firms drawn so that it adds up."""
    base = {"economy": {"kind": "table", "firms": size["table"], "preset": "us"}, "network.suppliers": 5}
    for kind in ("random", "reconstructed", "scale_free"):
        scenario = Scenario().with_({**base, "network.kind": kind, "seed": seed, "shocks": [], "mechanisms": []})
        plan = Ecosystem(scenario).world.plan
        sectors, sector = len(plan.firms.sector_names), plan.firms.sector
        output = plan.firms.final_demand + np.bincount(plan.supplier, plan.flow, minlength=len(sector))
        pairs = np.zeros((sectors, sectors))
        np.add.at(pairs, (sector[plan.supplier], sector[plan.buyer]), plan.flow)
        sold, bought = np.nonzero(pairs)
        final_demand = np.bincount(sector, plan.firms.final_demand, minlength=sectors)
        whole = plan_of(final_demand, sold, bought, pairs[sold, bought], sold)
        by_sectors = _loss(whole, np.full(sectors, 0.1), size["days"])
        rng = np.random.Generator(np.random.Philox([seed, 5]))
        firms, links, essential = frames(plan)
        names = essential.index
        table = pd.DataFrame({"sector": names, "market": names}, index=names)
        table["revenue"] = table["weight"] = np.bincount(sector, output, minlength=sectors)
        trade = pd.DataFrame({"supplier": names[sold], "client": names[bought], "flow": pairs[sold, bought]})
        rule_sectors = float(esri(table, trade, essential=essential, failures=np.full(sectors, 0.1)).esri.iloc[0])
        by_firms, rule_firms = [], []
        for _ in range(5):
            hit = np.zeros(len(sector))
            for at in range(sectors):
                members = rng.permutation(np.flatnonzero(sector == at))
                left = 0.1 * output[members].sum()
                for row in members:
                    hit[row] = min(1.0, left / output[row])
                    left -= hit[row] * output[row]
                    if left <= 0.0:
                        break
            by_firms.append(_loss(plan, hit, size["days"]))
            rule_firms.append(float(esri(firms, links, essential=essential, failures=hit).esri.iloc[0]))
        errors = 100.0 * (by_sectors / np.array(by_firms) - 1.0)
        rule_errors = 100.0 * (rule_sectors / np.array(rule_firms) - 1.0)
        yield {
            "question": "aggregation", "variant": kind, "engine: loss by sectors, %": 100.0 * by_sectors,
            "loss by firms, %": 100.0 * float(np.mean(by_firms)), "error, %": float(errors.mean()),
            "ESRI's rule: loss by sectors, %": 100.0 * rule_sectors,
            "by firms, %": 100.0 * float(np.mean(rule_firms)), "error of it, %": float(rule_errors.mean()),
            "largest error of it, %": float(rule_errors[np.argmax(np.abs(rule_errors))]),
        }  # fmt: skip


def _loss(plan: Any, hit: Any, days: int) -> float:
    """Share of total production lost where each firm lacks a share ``hit`` of its capacity for a month."""
    severity = {plan.firm_name(row): float(hit[row]) for row in np.flatnonzero(hit > 0).tolist()}
    outage = Outage.model_validate({"severity": severity, "recovery": {"law": "at_once", "start": 29}})
    eco = world_of(plan, shocks=[outage])
    eco.run_for(days)
    return float(1.0 - eco.world.firms.produced.sum() / (days * eco.world.firms.output.sum()))


# --- 6: the plateau ---------------------------------------------------------------------------------------------------


def plateau(seed: int, size: dict[str, int]) -> Iterable[dict[str, Any]]:
    """How alike the riskiest firms are: those with an ESRI of at least nine tenths of the highest."""
    base = {"economy": {"kind": "uniform", "firms": size["table"], "inputs": 3}, "network.suppliers": 3}
    for kind, more in (("core_periphery", {"network.core": 0.03}), ("random", {}), ("acyclic", {})):
        scenario = Scenario().with_(
            {**base, "network.kind": kind, **more, "seed": seed, "shocks": [], "mechanisms": []}
        )
        plan = Ecosystem(scenario).world.plan
        firms = pd.DataFrame({"sector": np.arange(len(plan.firms))})  # nobody replaces anybody
        firms["revenue"] = plan.firms.final_demand + np.bincount(plan.supplier, plan.flow, minlength=len(plan.firms))
        firms["weight"] = firms["revenue"]
        links = pd.DataFrame({"supplier": plan.supplier, "client": plan.buyer, "flow": plan.flow})
        essential = pd.DataFrame(2, index=firms.index, columns=firms.index)
        found = np.sort(esri(firms, links, essential=essential).esri.to_numpy())[::-1]
        top = int((found >= 0.9 * found[0]).sum())
        yield {
            "question": "plateau", "variant": kind, "highest ESRI, %": 100.0 * found[0],
            "firms on the plateau": top, "firms on the plateau, %": 100.0 * top / len(found),
            "next below it, % of the highest": 100.0 * found[top] / found[0] if top < len(found) else np.nan,
            "median ESRI, %": 100.0 * float(np.median(found)),
        }  # fmt: skip


# --- the whole --------------------------------------------------------------------------------------------------------

EXPERIMENTS: dict[str, Callable[[int, dict[str, int]], Iterable[dict[str, Any]]]] = {
    "indirect_loss": indirect_loss, "speed": speed, "rewiring": rewiring, "inventory": inventory,
    "aggregation": aggregation, "plateau": plateau,
}  # fmt: skip


def summary(runs: pd.DataFrame) -> pd.DataFrame:
    """Means over replicates with half-widths of 95 % intervals; gaps are paired, to the first of each question."""
    rows = []
    for question, group in runs.groupby("question", sort=False):
        measures = [name for name in group if name not in ("question", "variant", "seed") and group[name].notna().any()]
        first = group[group["variant"] == group["variant"].iloc[0]].set_index("seed")
        for variant, chosen in group.groupby("variant", sort=False):
            mine = chosen.set_index("seed")
            for name in measures:
                mean, half = interval(mine[name])
                gap, gap_half = interval(mine[name] - first[name])
                rows.append(
                    {"question": question, "variant": variant, "measure": name, "mean": mean, "ci": half, "gap": gap,
                     "gap_ci": gap_half, "n": int(mine[name].notna().sum())}
                )  # fmt: skip
    return pd.DataFrame(rows)


def interval(values: pd.Series) -> tuple[float, float]:
    """Mean and half-width of its 95 % interval by Student's t; not a number where there are fewer than two values."""
    kept = values.dropna().to_numpy(dtype=float)
    if len(kept) < 2:
        return float(kept.mean()) if len(kept) else np.nan, np.nan
    return float(kept.mean()), float(stats.t.ppf(0.975, len(kept) - 1) * kept.std(ddof=1) / len(kept) ** 0.5)


def tables(found: pd.DataFrame) -> str:
    """The summary as Markdown: a table for each question, differences from its first line in brackets."""
    parts = []
    for question, group in found.groupby("question", sort=False):
        measures = list(dict.fromkeys(group["measure"]))
        lines = [f"| {question} | {' | '.join(measures)} |", f"|---|{'---|' * len(measures)}"]
        for at, (variant, chosen) in enumerate(group.groupby("variant", sort=False)):
            cells = []
            for _, row in chosen.set_index("measure").loc[measures].iterrows():
                cell = f"{row['mean']:.3g} ± {row['ci']:.2g}"
                cells.append(cell if at == 0 else f"{cell} ({row['gap']:+.2g} ± {row['gap_ci']:.2g})")
            lines.append(f"| {variant} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Run what was asked for, print the tables, and keep every run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=20)
    parser.add_argument("--only", choices=list(EXPERIMENTS), action="append")
    parser.add_argument("--quick", action="store_true", help="small and in seconds: shows how, says little")
    parser.add_argument("--out", type=Path, help="folder for structures.csv, every run a line")
    chosen = parser.parse_args()
    size, replicates = (QUICK, 2) if chosen.quick else (FULL, chosen.replicates)
    rows = []
    for name in chosen.only or EXPERIMENTS:
        begun = time.perf_counter()
        rows += [{"seed": seed, **row} for seed in range(1, replicates + 1) for row in EXPERIMENTS[name](seed, size)]
        print(f"{name}: {time.perf_counter() - begun:.0f} s", flush=True)
    runs = pd.DataFrame(rows)
    if chosen.out is not None:
        runs.to_csv(chosen.out / "structures.csv", index=False)
    print(tables(summary(runs)))


if __name__ == "__main__":
    main()
