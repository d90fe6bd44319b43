# %% [markdown]
# # The policymaker's notebook: what helps, and what it costs
#
# Sixty small businesses with money, customers and habits; a flood in Riverside. Three interventions are compared
# with doing nothing, in the same four worlds each, with 95 % intervals. The worlds are few and small, so that
# this takes half a minute: the intervals show what that costs in certainty. docs/policies.md has nineteen
# interventions in larger worlds.

# %%
import matplotlib.pyplot as plt
import pandas as pd
from scipy import stats

import ecosim
from ecosim.resilience.deadweight import deadweight

WORLDS = range(1, 5)
town = ecosim.load("default_world").with_({"economy.firms": 60, "days": 60, "shocks.0.when": 10})
after_the_flood = {"trigger": {"after": "flood"}}
interventions = {
    "grants to those flooded": [{"kind": "emergency_grant", **after_the_flood, "lead_days": 7, "budget": 0.5}],
    "vouchers for customers": [{"kind": "demand_voucher", **after_the_flood, "budget": 0.5}],
    "larger stocks": [{"kind": "strategic_stock", "budget": 0.5}],
}

# %% [markdown]
# Each world is lived without any policy and with each of them: same firms, same flood, same luck. What differs is the
# policy's doing.

# %%
rows = []
for world in WORLDS:
    unaided = ecosim.run(town.with_({"seed": world}), lineage="off")
    for name, policies in interventions.items():
        helped = ecosim.run(town.with_({"seed": world, "policies": policies}), lineage="off")
        spent = helped.summary["policies"][0]
        rows.append(
            {
                "intervention": name,
                "world": world,
                "customers get, points": unaided.summary["loss"]["final_consumption_percent"]
                - helped.summary["loss"]["final_consumption_percent"],
                "firms make, points": unaided.summary["loss"]["production_percent"]
                - helped.summary["loss"]["production_percent"],
                "spent, days of output": spent["days_of_output"],
                "went where it was not needed, %": deadweight(helped, unaided)["percent"].iloc[0],
            }
        )
runs = pd.DataFrame(rows)
runs.head()

# %% [markdown]
# ## Effects and costs
#
# Mean over the worlds and 95 % interval of the paired difference (Student's t). "Points" are per cent of what the
# undisturbed twin makes or sells in the 60 days; above 0 is help.


# %%
def told(values):
    """Mean and interval in words."""
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return f"{values.mean():+.2f} [{values.mean() - half:+.2f}, {values.mean() + half:+.2f}]"


summary = runs.groupby("intervention", sort=False).agg(
    {
        "customers get, points": told,
        "firms make, points": told,
        "spent, days of output": "mean",
        "went where it was not needed, %": "mean",
    }
)
summary

# %%
fig, ax = plt.subplots(figsize=(6, 2.5))
for at, (_, some) in enumerate(runs.groupby("intervention", sort=False)):
    values = some["customers get, points"]
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    ax.errorbar(values.mean(), at, xerr=half, fmt="o", capsize=3)
    ax.text(values.mean(), at + 0.15, f"{some['spent, days of output'].mean():.2f} days spent", fontsize=8)
ax.axvline(0, color="grey", linestyle=":")
ax.set(yticks=range(3), yticklabels=list(interventions), ylim=(-0.5, 2.6), xlabel="more for customers, points (95 %)")
fig.tight_layout()
plt.show()

# %% [markdown]
# ## How to read it
#
# - An interval that holds 0 means: **no difference could be shown** in these worlds. It does not mean that there
#   is none.
# - Money from the government lifts demand a little, whatever it is spent on, since nobody is taxed here.
# - "Not needed" is what went to firms that came through the same flood without help.
# - What customers get and what firms make can differ: filling stocks is work, too, and nobody eats it.
#
# For a decision: more worlds, larger ones, and other assumptions. `ecosim compare` gives effects at every
# strength of the shock, with verdicts; docs/policy_search.md searches among packages under uncertainty. What this
# model cannot tell is in docs/how_sure.md.
