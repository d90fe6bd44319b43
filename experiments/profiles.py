"""How vulnerable each profile is: four shocks to everybody alike, with the values of profiles and without.

Every firm gets the same dose, so that what differs is the trade: its own values, and its place among the others.
Every world lives the same seeds beside an undisturbed twin of its own; "default" has the parameters' own defaults,
"profiles" the values of docs/profiles.md, "communities" makes three regions small towns and three cities.

    python experiments/profiles.py --replicates 12 --out docs
    python experiments/profiles.py --quick
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
from ecosim.calibration.profiles import profile_of
from ecosim.config import presets
from ecosim.spread import ROLES

SHOCKS: dict[str, list[dict[str, Any]]] = {
    "outage": [
        {
            "kind": "outage", "name": "outage", "when": 20, "severity": 0.5,
            "recovery": {"law": "exponential", "days": 30, "start": 5},
        }
    ],
    "labour": [{"kind": "pulse", "name": "absence", "channel": "labour", "when": 20, "days": 40, "factor": 0.6}],
    "systems": [
        {"kind": "pulse", "name": channel, "channel": channel, "when": 20, "days": 20, "factor": 0.0}
        for channel in ("cyber", "cloud", "platform")
    ],
    "demand": [
        {"kind": "pulse", "name": "slump", "channel": "demand", "when": 20, "days": 60, "factor": 0.6, "ease": 30}
    ],
}  # fmt: skip
SECTORS = ("manufacturing", "services", "retail", "technology")
TOWNS, CITIES = ("Riverside", "Old Town", "Harbour"), ("Market", "Hillside", "Station")
GROUPS = (*SECTORS, *ROLES, "small_town", "city", "all")


def worlds(base: ecosim.Scenario) -> dict[str, ecosim.Scenario]:
    """The default world with one value for all, with that of profiles, and with that of communities."""
    stock = presets.medians(SECTORS, {})["economy.inventory_days"]
    places = dict.fromkeys(TOWNS, "small_town") | dict.fromkeys(CITIES, "city")
    # The default world states its stocks itself, and a scenario's own value wins over a profile's.
    own = {"law": "normal", "median": base.economy.inventory_days, "by": stock}
    return {
        "default": base,
        "profiles": base.with_({"profiles": True, "economy.inventory_days": own}),
        "communities": base.with_({"communities": places}),
    }


def single(base: ecosim.Scenario) -> dict[str, ecosim.Scenario]:
    """The default world with the values that profiles give to one parameter alone, for each parameter."""
    found = {}
    for path, by in presets.medians(presets.of_firms(), {}).items():
        kind, _, name = path.partition(".")
        part = base.economy if kind == "economy" else next(part for part in base.mechanisms if part.kind == kind)
        default = getattr(part, name)
        if isinstance(default, float):
            default = ecosim.spread.Spread(law="normal", median=default)
        found[path] = base.with_(
            {path if kind == "economy" else f"mechanisms.{path}": default.model_copy(update={"by": default.by | by})}
        )
    return found


def groups(eco: ecosim.Ecosystem) -> dict[str, np.ndarray]:
    """Which firms are in each group, shape (firms,) each."""
    firms = eco.world.plan.firms
    profile = np.array([profile_of(name) for name in firms.sector_names])[firms.sector]
    region = np.array(firms.region_names)[firms.region]
    found = {name: profile == name for name in SECTORS} | {name: firms.role == at for at, name in enumerate(ROLES)}
    found |= {"small_town": np.isin(region, TOWNS), "city": np.isin(region, CITIES)}
    return found | {"all": np.ones(len(firms), dtype=bool)}


def live(scenario: ecosim.Scenario) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The groups, and what each firm has made by the end, shape (firms,)."""
    eco = ecosim.Ecosystem(scenario)
    eco.run_for(scenario.days)
    return groups(eco), eco.world.firms.produced.copy()


def losses(task: tuple[str, ecosim.Scenario]) -> list[dict[str, Any]]:
    """Output that each group loses under each shock, % of its twin's, in one world with one seed."""
    name, scenario = task
    members, calm = live(scenario)
    rows = []
    for shock, parts in SHOCKS.items():
        _, lived = live(scenario.with_({"shocks": parts}))
        for group, chosen in members.items():
            loss = 100 * float((calm - lived)[chosen].sum() / calm[chosen].sum())
            rows.append({"world": name, "shock": shock, "group": group, "seed": scenario.seed, "loss": loss})
    return rows


def interval(values: pd.Series) -> tuple[float, float]:
    """Mean and half the width of its 95 % interval (Student)."""
    n = len(values)
    half = float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    return float(values.mean()), half


def table(runs: pd.DataFrame) -> pd.DataFrame:
    """Loss of each group in the world without and with its profile, and the paired difference; a row a shock."""
    wide = runs.pivot_table(index="seed", columns=["world", "shock", "group"], values="loss")
    rows = []
    for shock in SHOCKS:
        for group in GROUPS:
            other = "communities" if group in ("small_town", "city") else "profiles"
            before, after = wide["default", shock, group], wide[other, shock, group]
            cells = [interval(values) for values in (before, after, after - before)]
            rows.append((shock, group, *(number for cell in cells for number in cell), len(before)))
    columns = ["shock", "group", "default", "default_ci", "profiles", "profiles_ci", "change", "change_ci", "n"]
    return pd.DataFrame(rows, columns=columns)


def reasons(runs: pd.DataFrame, most: int = 4) -> pd.DataFrame:
    """The single parameters that change the loss of a profile most, in points, where the interval excludes 0."""
    wide = runs.pivot_table(index="seed", columns=["world", "shock", "group"], values="loss")
    paths = [name for name in runs["world"].unique() if "." in name]
    rows = []
    for shock in SHOCKS:
        for group in (*SECTORS, *ROLES):
            found = {path: interval(wide[path, shock, group] - wide["default", shock, group]) for path in paths}
            clear = {path: pair for path, pair in found.items() if abs(pair[0]) > max(pair[1], 0.01)}
            largest = sorted(clear, key=lambda path: -abs(clear[path][0]))[:most]
            words = [f"`{path}` {clear[path][0]:+.2g} ± {clear[path][1]:.2g}" for path in largest]
            rows.append((shock, group, "; ".join(words) or "none"))
    return pd.DataFrame(rows, columns=["shock", "profile", "single parameters, points of loss"])


def page(found: pd.DataFrame, why: pd.DataFrame | None) -> str:
    """The tables as Markdown: a change whose interval excludes 0 is bold."""
    lines = ["| shock | group | defaults | values of profiles | change |", "|---|---|---|---|---|"]
    for row in found.to_dict("records"):
        change = f"{row['change']:+.2f} ± {row['change_ci']:.2f}"
        change = f"**{change}**" if abs(row["change"]) > row["change_ci"] else change
        cells = [f"{row[name]:.2f} ± {row[name + '_ci']:.2f}" for name in ("default", "profiles")]
        lines.append(f"| {row['shock']} | {row['group'].replace('_', ' ')} | {' | '.join(cells)} | {change} |")
    if why is not None:
        lines += ["", "| " + " | ".join(why.columns) + " |", "|---|---|---|"]
        lines += ["| " + " | ".join(row) + " |" for row in why.itertuples(index=False)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run all worlds and print the tables."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--replicates", type=int, default=12)
    asked.add_argument("--firms", type=int, default=600)
    asked.add_argument("--days", type=int, default=200)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--reasons", type=int, default=0, help="replicates of the runs with one parameter at a time")
    asked.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    asked.add_argument("--out", type=Path, default=None, help="folder for profiles.csv")
    given = asked.parse_args()
    if given.quick:
        given.replicates, given.firms, given.days = 2, 120, 60
    asked_for = {"profiles": False, "economy.firms": given.firms, "days": given.days, "shocks": []}
    base = ecosim.load("default_world").with_(asked_for)
    seeds = range(1, given.replicates + 1)
    tasks = [(name, world.with_({"seed": seed})) for seed in seeds for name, world in worlds(base).items()]
    few = range(1, given.reasons + 1)
    tasks += [(name, world.with_({"seed": seed})) for seed in few for name, world in single(base).items()]
    with ProcessPoolExecutor(given.workers) as pool:
        runs = pd.DataFrame([row for rows in pool.map(losses, tasks) for row in rows])
    found = table(runs[~runs["world"].str.contains(".", regex=False)])
    print(page(found, reasons(runs[runs["seed"] <= given.reasons]) if given.reasons else None))
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        found.to_csv(given.out / "profiles.csv", index=False)


if __name__ == "__main__":
    main()
