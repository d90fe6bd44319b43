# %% [markdown]
# # The teacher's notebook: a cascade and a bet
#
# A small town of thirty businesses, a river, and a flood. Nothing here needs the network, and every cell takes
# seconds. Run the cells from top to bottom, and place your bet before you read on.

# %%
import matplotlib.pyplot as plt
import pandas as pd

import ecosim
from ecosim.lineage.cascade import Cascade
from ecosim.lineage.story import Story
from ecosim.resilience.counterfactual import take_away

town = ecosim.load("tiny")
firms = pd.DataFrame(town.network.firms)
for region, some in firms.groupby("region"):
    print(f"{region}: {', '.join(some['firm'])}")

# %% [markdown]
# ## The bet
#
# On day 30 the river floods Riverside: each business there can make only a fifth of what it made, and repairs
# take six weeks. Everybody has ten days of everything in stock. **Which business outside Riverside loses most
# money?** Write your own:

# %%
bet = "Pharmacy"
assert bet in set(firms["firm"]), "no business of that name; see the table above"

# %% [markdown]
# ## The reveal

# %%
result = ecosim.run(town, lineage="full")
series = result.series.loc[0:120]
fig, ax = plt.subplots(figsize=(7, 3))
ax.plot(100 * series["total_production"] / series["twin_total_production"])
ax.axvline(30, linestyle=":", color="grey")
ax.set(
    xlabel="day", ylabel="output, % of the twin's", ylim=(0, 105), title="The town, against itself without the flood"
)
plt.show()

# %%
dry = result.firms[result.firms["damage"] == 0].sort_values("lost", ascending=False)
place = 1 + dry["firm"].tolist().index(bet)
print(f"{bet} is number {place} of {len(dry)}, by money lost.")
dry[["firm", "region", "lost", "lost_percent"]].head(5)

# %% [markdown]
# The flood is on day 30, and the town is at its worst on day 44. Why so late? Ask the business that lost most.

# %%
for line in Story(result).of_firm(Cascade.of(result).worst()):
    print(line)

# %% [markdown]
# Stocks delayed the harm; they did not prevent it. How far did it go, from those who were flooded (0) to others?

# %%
cascade = Cascade.of(result)
cascade.by_generation()

# %% [markdown]
# ## Whose fault?
#
# Live the same days again, once with the flood at the named culprit *alone*, once *everywhere but there*.

# %%
take_away(result, firms=3).table[["firm", "origin", "named", "alone", "gone"]]

# %% [markdown]
# `alone` near 1: the culprit was enough to cause the loss. `gone` near 0: sparing it would have saved nothing,
# since another flooded supplier would have done the same. Is "whose fault is it" the right question?
#
# ## Half the flood, half the harm?

# %%
severities = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
lost = [
    ecosim.run(town.with_({"shocks.0.severity": s}), lineage="off").summary["loss"]["production_percent"]
    for s in severities
]
fig, ax = plt.subplots(figsize=(5, 3))
ax.plot(severities, lost, marker="o")
ax.plot([0, 1], [0, lost[-1]], linestyle=":", color="grey")
ax.set(xlabel="severity of the flood", ylabel="output lost, %", title="The curve, and the straight line")
plt.show()

# %% [markdown]
# A response that lies below the straight line and then bends up towards it hurts more with every further step:
# that is what *fragile* means here. What would you change in the town, and what would it cost? Try
# `economy.inventory_days`, or `economy.rationing` (who goes short when goods are short: 0 to 3).
#
# This is a model town. It says what follows from its assumptions, and forecasts nothing.
