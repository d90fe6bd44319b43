# %% [markdown]
# # The researcher's notebook: sweep, verdict, lineage
#
# Small worlds, so that everything runs in a minute. The same calls do the full size: more firms, more replicates,
# more workers.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from scipy import stats

import ecosim
from ecosim import resilience
from ecosim.lineage.cascade import Cascade
from ecosim.odd import parts
from ecosim.resilience.counterfactual import take_away

folder = Path(tempfile.mkdtemp())

# %% [markdown]
# ## A sweep
#
# Structure and stocks as factors; three replicates. Replicate r has the same luck at every point.

# %%
study = ecosim.sweep(
    {
        "scenario": "main_street",
        "set": {"economy.firms": 120, "days": 90, "shocks.0.when": 10},
        "factors": {"network.kind": ["reconstructed", "ring", "star"], "economy.inventory_days": [5, 15]},
        "replicates": 3,
        "outcomes": ["loss.production_percent"],
        "series": "none",
    },
    out=folder / "study",
    workers=1,
)
table = study.table()
assert study.failures().empty
table.pivot_table(index="network.kind", columns="economy.inventory_days", values="loss.production_percent").round(2)

# %% [markdown]
# Differences pair by replicate, with Student's interval:

# %%
pairs = table.pivot(
    index=["network.kind", "replicate"], columns="economy.inventory_days", values="loss.production_percent"
)
for kind, some in (pairs[15] - pairs[5]).groupby("network.kind"):
    low, high = stats.t.interval(0.95, len(some) - 1, some.mean(), stats.sem(some))
    print(f"{kind}: 15 days of stock instead of 5 change the loss by {some.mean():.2f} points [{low:.2f}, {high:.2f}]")

# %% [markdown]
# ## A verdict
#
# One structure under one shock, judged by a rule that was fixed beforehand (docs/verdict.md). It looks after 60,
# 120, 240 and 480 replicates and stops when the answer is clear.

# %%
lean = ecosim.Scenario(
    name="lean ring",
    days=60,
    economy={"kind": "uniform", "firms": 60, "inventory_days": 5},
    network={"kind": "ring"},
    shocks=[
        {
            "kind": "outage",
            "name": "flood",
            "when": 5,
            "who": {"share": 0.2},
            "severity": 1.0,
            "recovery": {"law": "exponential", "days": 15},
        }
    ],
)
judged = resilience.verdict(lean, intensities=5)
print(judged)

# %% [markdown]
# With too few replicates it says so, and how many more it needs. Effects, with their intervals, are told either way:

# %%
stocked = lean.with_({"name": "stocked ring", "economy.inventory_days": 20})
found = resilience.compare({"lean": lean, "stocked": stocked}, replicates=8, intensities=5)
print({name: verdict.label for name, verdict in found.verdicts.items()})
found.effects.query("outcome == 'd' and intensity == 1")[["scenario", "first", "other", "effect", "low", "high", "n"]]

# %%
fig, ax = plt.subplots(figsize=(6, 3))
for name, each in found.responses.items():
    ax.plot(each.x, 100 * each.d.mean(axis=0), marker="o", label=name)
ax.set(xlabel="firm-days of capacity lost", ylabel="output against the twin, %")
ax.legend()
plt.show()

# %% [markdown]
# ## Lineage
#
# Why: each day of each firm that makes less than its twin has one cause, and causes lead back to the shock.

# %%
result = ecosim.run(lean, lineage="full")
cascade = Cascade.of(result)
print(cascade.by_generation())
cascade.conduits().head(3)

# %% [markdown]
# An explanation is a claim. Test it: was the named firm enough, was it needed?

# %%
take_away(result, firms=3).table[["firm", "origin", "named", "alone", "gone"]]

# %% [markdown]
# ## For the supplement
#
# The description of this very model by the ODD protocol (Grimm et al. 2020): here the day in its order.

# %%
print(parts(lean)["day"])
print(result.manifest["versions"]["ecosim"], result.manifest["scenario_sha256"][:12])
