"""Which interventions cut loss most for each unit of budget, against which trouble, and whom do they harm?

Every intervention of docs/policies.md alone, with the same cap on what it may spend, against a flood, a cloud outage, a
credit crunch (with a flood in it) and a pandemic, in main_street's economy with the mechanisms of the default world.
Runs go through the store of studies: kill it, and the same command goes on from what is in the folder. Effects are
paired: the same world with the same luck, with the intervention and without any.

    python experiments/policy_main_street.py --out somewhere
    python experiments/policy_main_street.py --quick --out somewhere
    python experiments/policy_main_street.py --out somewhere --docs docs
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

import ecosim
from ecosim.config.kinds import known
from ecosim.report.figure import BLUE, GREY, INK, ORANGE
from ecosim.study.analysis.figures import blank, save
from ecosim.study.policy import tables
from ecosim.study.policy.futures import draw
from ecosim.study.policy.packages import listed
from ecosim.study.policy.reading import made
from ecosim.study.policy.spec import PolicySpec
from ecosim.study.policy.stage import Lived

NAME = "policy_main_street"
BUDGET = 0.2  # days of all output that each may spend
MONEY = "money_alone"
TITLES = {"flood": "Flood", "cloud_outage": "Cloud outage", "credit_crunch": "Credit crunch and flood",
          "pandemic": "Pandemic"}  # fmt: skip
LITTLE = 0.01  # days of all output below which nothing is said of a unit spent


def study(firms: int, days: int, futures: int, troubles: Collection[str] = tuple(TITLES)) -> PolicySpec:
    """What is lived."""
    levers: dict[str, Any] = {kind: {"kind": kind, "budget": BUDGET} for kind in known("policies")}
    levers[MONEY] = {"kind": "local_sourcing", "shift": 0.0, "cost": 0.001, "budget": BUDGET}
    flood = {"kind": "outage", "name": "flood", "who": {"region": "Riverside"}, "when": 30, "severity": 0.6,
             "recovery": {"law": "exponential", "days": 30, "start": 5}}  # fmt: skip
    pandemic = ecosim.load("pandemic_year").with_({"shocks.0.when": 10}).shocks
    every = {
        "flood": [flood],
        "cloud_outage": "cloud_outage",
        "credit_crunch": "credit_crunch",
        "pandemic": pandemic,
    }
    return made(
        {
            "name": NAME,
            "scenario": "default_world",
            "set": {"economy.firms": firms, "days": days},
            "levers": levers,
            "shocks": {name: shocks for name, shocks in every.items() if name in troubles},
            "futures": futures,
            "search": {"algorithm": "none"},
            "verdict": None,
        }
    )


def live(spec: PolicySpec, out: Path, workers: int) -> Lived:
    """Live every intervention, and none, in every world."""
    begun = told = time.monotonic()

    def progress(_: str, now: Any) -> None:
        nonlocal told
        if time.monotonic() - told > 30:
            told = time.monotonic()
            print(f"{now.done:,} of {now.total:,} runs after {told - begun:.0f} s", flush=True)

    lived = Lived(spec, draw(spec, "training"), out, workers, progress)
    lived.live("listed", listed(spec))
    return lived


def beyond_money(gain: np.ndarray, cost: np.ndarray, other: np.ndarray, spent: np.ndarray) -> tuple[float, float]:
    """What a unit brings beyond a unit of money alone, and half of its 95 % interval by the jackknife, paired."""
    n = len(gain)
    whole = gain.sum() / cost.sum() - other.sum() / spent.sum()
    left = (gain.sum() - gain) / (cost.sum() - cost) - (other.sum() - other) / (spent.sum() - spent)
    error = np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())
    return float(whole), float(special.stdtrit(n - 1, 0.975) * error)


def table(spec: PolicySpec, lived: Lived) -> pd.DataFrame:
    """A row for each intervention and trouble: spent, saved, for each unit, beyond money alone, what can be claimed."""
    packages = [each for each in listed(spec) if each.size]
    group = [("training", lived, packages)]
    found = tables.value(spec, group).drop(columns="futures")
    effects = tables.effects(spec, group, [spec.outcome]).drop(columns=["futures", "outcome", "family", "n", "p"])
    points = {"effect": "points", "low": "points_low", "high": "points_high"}
    found = found.merge(effects.rename(columns=points), on=["package", "type"])
    gains, costs = tables.saved(lived, "consumption_days", packages), lived.figure("cost", packages)[:, lived.whole()]
    types, at = lived.types[lived.whole()], {each.name: place for place, each in enumerate(packages)}
    rows = []
    for row in found.to_dict("records"):
        these = (types == row["type"]) | (row["type"] == tables.ALL)
        own, money = at[row["package"]], at[MONEY]
        known_cost = row["spent"] > LITTLE and these.sum() > 1 and costs[money][these].sum() > 0
        more, half = (np.nan, np.nan)
        if known_cost and row["package"] != MONEY:
            more, half = beyond_money(gains[own][these], costs[own][these], gains[money][these], costs[money][these])
        rows.append(row | {"beyond_money": more, "beyond_money_half": half})
    return pd.DataFrame(rows)


def page(found: pd.DataFrame, harmed: pd.DataFrame, spec: PolicySpec) -> str:
    """The answers in words and tables, Markdown."""
    lines = [
        f"{spec.futures} worlds of {spec.base.economy.firms} firms over {spec.base.days} days for each trouble, the "
        f"same for all interventions; each may spend {BUDGET:g} days of the whole economy's usual output. *Saved* is "
        "final consumption against doing nothing, days of output; *for each unit*: saved by spent, with the "
        "jackknife's 95 % interval; *beyond money*: less what a unit of money alone brings. *Shown*: P is at most "
        "5 % after Holm's correction (all interventions under each of the four troubles are one family, all four "
        "troubles together another). The best of twenty looks better than it is.",
    ]
    for kind in spec.shocks:
        lines += ["", f"### {TITLES[kind]}", "", *_best(found[found["type"] == kind])]
    lines += ["", "### All alike", "", *_everywhere(found), "", "### Who is harmed", "", *_harmed(harmed)]
    return "\n".join(lines) + "\n"


def _best(rows: pd.DataFrame) -> list[str]:
    paid = rows[(rows["spent"] > LITTLE)].sort_values("per_unit", ascending=False)
    shown = paid[(paid["claim"] == tables.SAVES) & (paid["package"] != MONEY)]
    three = ", ".join(shown["package"].head(3))
    few = "" if len(shown) >= 3 else f" Only {len(shown)} could be shown to save at all." if len(shown) else ""
    said = (
        f"Most for each unit, of those shown to save: **{three}**.{few}"
        if three
        else "**None could be shown to save.**"
    )
    lines = [
        said,
        "",
        "| intervention | spent | saved | for each unit | beyond money | shown |",
        "|---|---|---|---|---|---|",
    ]
    for row in paid.to_dict("records"):
        more = "-" if np.isnan(row["beyond_money"]) else f"{row['beyond_money']:+.2f} ± {row['beyond_money_half']:.2f}"
        claim = row["claim"] if row["claim"] != tables.NOTHING_SHOWN else "no"
        cells = (_interval(row, "saved", 3), _interval(row, "per_unit", 2), more, claim)
        lines.append(f"| {row['package']} | {row['spent']:.3f} | {' | '.join(cells)} |")
    free = rows[rows["spent"] <= LITTLE].sort_values("saved", ascending=False)
    told = [f"{row['package']} {_interval(row, 'saved', 3)}{'' if row['claim'] == tables.NOTHING_SHOWN else ' (shown)'}"
            for row in free.to_dict("records")]  # fmt: skip
    return [*lines, "", f"Cost the state nothing, or next to nothing; saved: {'; '.join(told)}."] if told else lines


def _interval(row: dict[str, Any], name: str, digits: int) -> str:
    return f"{row[name]:+.{digits}f} [{row[f'{name}_low']:+.{digits}f}, {row[f'{name}_high']:+.{digits}f}]"


def _everywhere(found: pd.DataFrame) -> list[str]:
    each = found[found["type"] != tables.ALL].pivot_table(
        index="package", columns="type", values="claim", aggfunc="first"
    )
    always = sorted(each.index[(each == tables.SAVES).all(axis=1)])
    hurt = each[(each == tables.HARMS).any(axis=1)]
    over = found[(found["type"] == tables.ALL) & (found["claim"] == tables.SAVES)].sort_values(
        "points", ascending=False
    )
    return [
        f"- Shown to save against every one of them: {', '.join(always) or 'none'}.",
        "- Shown to save over all of them alike: "
        + (
            ", ".join(f"{row['package']} ({_interval(row, 'points', 3)} points)" for row in over.to_dict("records"))
            or "none"
        )
        + ".",
        "- Shown to harm consumption as a whole against some: "
        + (
            "; ".join(f"{name} ({', '.join(row.index[row == tables.HARMS])})" for name, row in hurt.iterrows())
            or "none"
        )
        + ".",
    ]


def _harmed(harmed: pd.DataFrame) -> list[str]:
    if harmed.empty:
        return ["Nobody could be shown to be harmed: too few worlds."]
    lines = [
        f"Production of every sector, region and class of size, all troubles alike; corrected over {len(harmed):,} "
        "cells.",
        "",
    ]
    bad = harmed[harmed["claim"] == tables.HARMS].sort_values("effect")
    for name, rows in bad.groupby("package", sort=True):
        some = ", ".join(f"{row['group']} ({row['effect']:+.2g} points)" for row in rows.head(4).to_dict("records"))
        more = f" and {len(rows) - 4} more" if len(rows) > 4 else ""
        lines.append(f"- {name}: {some}{more}.")
    nobody = sorted(set(harmed["package"]) - set(bad["package"]))
    return [*lines, f"- Nobody could be shown to be harmed by {', '.join(nobody) or 'none of them'}."]


def figure(found: pd.DataFrame) -> Any:
    """Saved for each unit spent, with intervals, a panel a trouble."""
    kinds = [kind for kind in TITLES if kind in set(found["type"])]
    picture = blank(12, 5.6)
    panels = picture.subplots(1, len(kinds), squeeze=False)[0]
    for axes, kind in zip(panels, kinds, strict=True):
        rows = (
            found[(found["type"] == kind) & (found["spent"] > LITTLE)].sort_values("per_unit").dropna(subset="per_unit")
        )
        for place, row in enumerate(rows.to_dict("records")):
            shown = BLUE if row["claim"] != tables.NOTHING_SHOWN else GREY
            colour = ORANGE if row["package"] == MONEY else shown
            axes.plot([row["per_unit_low"], row["per_unit_high"]], [place, place], color=colour, lw=2)
            axes.plot(row["per_unit"], place, "o", color=colour, ms=4)
        axes.axvline(0, color=INK, lw=0.8)
        axes.axvline(1, color=INK, lw=0.8, ls=":")  # to the right of it, it saves more than it costs
        axes.set_yticks(range(len(rows)), [name.replace("_", " ") for name in rows["package"]], fontsize=6.5)
        axes.set_xscale("symlog", linthresh=0.1)  # straight up to 0.1, then by powers of ten
        ticks = [at for at in (-10, -1, -0.1, 0, 0.1, 1, 10) if at >= min(0, rows["per_unit_low"].min())]
        axes.set_xticks(ticks, [f"{at:g}" for at in ticks])
        axes.margins(x=0.08)
        axes.minorticks_off()
        axes.tick_params(axis="x", labelsize=7)
        axes.set_title(TITLES[kind], loc="left", fontsize=9, color=INK)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    picture.supxlabel(
        "days of consumption saved for each day of output spent (orange: money alone; blue: shown; dotted: as much as "
        "it cost)",
        fontsize=9,
    )
    return picture


def write(spec: PolicySpec, lived: Lived, out: Path, docs: Path | None) -> None:
    """Tables, page and figure; with ``docs`` also there, where docs/policy_main_street.md takes them in."""
    found = table(spec, lived)
    strongest = [each for each in listed(spec) if each.size]
    harmed = tables.winners([("training", lived, strongest)])
    text = page(found, harmed, spec)
    found.to_csv(out / f"{NAME}.csv", index=False, float_format="%.6g")
    harmed.to_csv(out / f"{NAME}_winners.csv", index=False, float_format="%.6g")
    (out / f"{NAME}_tables.md").write_text(text, encoding="utf-8")
    save(lambda: figure(found), out, NAME)
    if docs is not None:
        fill(docs / f"{NAME}.md", text)
        shutil.copyfile(out / f"{NAME}.csv", docs / f"{NAME}.csv")
        (docs / "figures").mkdir(exist_ok=True)
        shutil.copyfile(out / f"{NAME}.svg", docs / "figures" / f"{NAME}.svg")
    print(text)


def fill(target: Path, text: str) -> None:
    """Put the measured part into a page, between its marks."""
    begin, end = "<!-- measured -->", "<!-- end of what was measured -->"
    before, mark, rest = target.read_text(encoding="utf-8").partition(begin)
    _, closing, after = rest.partition(end)
    if not (mark and closing):
        raise SystemExit(f"{target}: has no {begin} ... {end} to fill")
    target.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")


def main() -> None:
    """Live everything that is not yet in the folder, and write what follows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs, the tables and the figure")
    parser.add_argument("--docs", type=Path, help="also fill the page policy_main_street.md in this folder")
    parser.add_argument("--firms", type=int, default=200)
    parser.add_argument("--days", type=int, default=160)
    parser.add_argument("--worlds", type=int, default=24, help="worlds of each trouble")
    parser.add_argument("--troubles", nargs="*", default=list(TITLES), choices=list(TITLES))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--quick", action="store_true", help="two small worlds of two troubles: shows how, says nothing"
    )
    asked = parser.parse_args()
    if asked.quick:
        asked.firms, asked.days, asked.worlds, asked.troubles = 30, 34, 2, ["flood", "cloud_outage"]
    asked.out.mkdir(parents=True, exist_ok=True)
    spec = study(asked.firms, asked.days, asked.worlds, asked.troubles)
    write(spec, live(spec, asked.out, asked.workers), asked.out, asked.docs)


if __name__ == "__main__":
    main()
