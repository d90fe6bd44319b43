"""The page of a policy study: what was found in plain words, never stronger than the intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ecosim.study.policy.front import FEWEST_TO_SETTLE
from ecosim.study.policy.measures import needed, shown_to_hold
from ecosim.study.policy.tables import ALL, ALPHA, HARMS, HEADLINE, NOTHING_SHOWN, SAVES

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from ecosim.study.policy.results import Found

MOST = 15  # rows of a table that is told in words
QUICK = (
    "**The quick form: a few futures of a small economy. It shows what a page looks like and says nothing of any "
    "policy.**"
)


def page(found: Found) -> str:
    """All of it as Markdown."""
    parts = (
        _head(found), _answer(found), _alone(found), _worth(found), _front(found), _regret(found), _left_out(found),
        _sealed(found), _winners(found), _verdicts(found), _limits(found),
    )  # fmt: skip
    return "\n".join(line for part in parts for line in part) + "\n"


def _head(found: Found) -> list[str]:
    spec, packages = found.spec, found.tables["packages"]
    kinds = ", ".join(spec.shocks)
    lines = [
        f"# {spec.name}",
        "",
        f"{len(packages):,} packages of {_count(len(spec.levers), 'lever')} were lived in the same "
        f"{spec.futures * len(spec.shocks):,} futures with the same luck: {spec.futures:,} of each kind of trouble "
        f"({kinds}), {_count(spec.replicates, 'run')} of each future. What was chosen was then lived in "
        f"{spec.tested * len(spec.shocks):,} fresh futures. Losses are of {spec.outcome}, per cent of the same world "
        "without shocks and without policies; money is in days of the whole economy's usual output. Intervals are of "
        "95 %.",
        "",
    ]
    if spec.is_corner:
        lines[2:2] = [QUICK, ""]
    for where, count in found.dropped.items():
        if count:
            lines += [f"**{count} {where.replace('_', '-')} futures are left out, because a run failed in them.**", ""]
    return lines


def answer(found: Found) -> str:
    """What is recommended, as the page says it."""
    lines = [QUICK] if found.spec.is_corner else []
    return "\n".join([*lines, *(line for line in _answer(found)[2:] if line)])


# --- the answer -------------------------------------------------------------------------------------------------------


def _answer(found: Found) -> list[str]:
    spec, chosen = found.spec, found.chosen
    row = _row(found.tables["held_out"], chosen.name)
    lines = ["## The answer", ""]
    if spec.target is not None:
        lines += [_least(found), ""]
    if not chosen.size:
        return [*lines, "Of what was tried, nothing did better than doing nothing by the rule of choice.", ""]
    effect = found.tables["effects"]
    claim = effect[(effect["package"] == chosen.name) & (effect["futures"] == "held_out")
                   & (effect["family"] == HEADLINE)].iloc[0]  # fmt: skip
    saved = _interval(claim, "effect", "low", "high")
    what = {
        SAVES: f"saves {saved} points of {spec.outcome}",
        HARMS: f"costs {saved} points of {spec.outcome}: it harms",
        NOTHING_SHOWN: f"no difference could be shown ({saved} points of {spec.outcome})",
    }[claim["claim"]]
    verb, warning = {
        SAVES: ("Recommended", ""),
        HARMS: ("The rule of choice picks", " **It is not recommended: in the mean, doing nothing loses less.**"),
        NOTHING_SHOWN: ("The rule of choice picks", " **That is no recommendation: whether it helps at all is open.**"),
    }[claim["claim"]]
    lines.append(
        f"{verb}: **{chosen.name}**. In {claim['n']} fresh futures, against doing nothing: {what}; corrected "
        f"P {_p(claim['p_holm'])}. It costs {row['cost_held_out']:.3g} days of output in the mean.{warning}"
    )
    lines += ["", _shrunk(row), ""]
    return lines


def _least(found: Found) -> str:
    spec = found.spec
    goal = spec.target
    assert goal is not None
    aim = f"hold the loss of {spec.outcome} at or below {goal.loss:g} % in {100 * goal.share:g} % of futures"
    least = found.tables["least_cost"].iloc[0]
    resampled = f"In {100 * least['none_holds']:.0f} % of resampled sets of futures none of them does."
    if not least["package"]:
        return f"Least cost to {aim}: **none of those tried does**, in the futures that they were tried in. {resampled}"
    row = _row(found.tables["held_out"], least["package"])
    spread = f"[{least['cost_low']:.3g}, {least['cost_high']:.3g}] over resampled futures in which some package does"
    held, of = row["held_held_out"], int(row["held_held_out_of"])
    count = round(held * of)
    interval = f"{100 * held:.0f} % [{100 * row['held_held_out_low']:.0f}, {100 * row['held_held_out_high']:.0f}]"
    if shown_to_hold(count, of, goal.share, ALPHA):
        told = f"In fresh futures it holds in {count} of {of} ({interval}): more than {100 * goal.share:g} % is shown."
    elif row["held_held_out_high"] < goal.share:
        told = f"**In fresh futures it does not hold**: in {count} of {of} ({interval})."
    else:
        told = (
            f"In fresh futures it holds in {count} of {of} ({interval}): {100 * goal.share:g} % can be neither shown "
            f"nor ruled out; to show it takes at least {needed(goal.share)} futures without exception."
        )
    return (
        f"Least cost to {aim}: **{least['cost']:.3g} days of output** {spread}, by {least['package']}, which is the "
        f"cheapest again in {100 * least['chosen_again']:.0f} % of them. {resampled} {told}"
    )


def _shrunk(row: dict[str, Any]) -> str:
    gap = _interval(row, "shrinkage", "shrinkage_low", "shrinkage_high")
    if row["shrinkage_low"] > 0:
        what = f"less in fresh futures than in those it was chosen by, by {gap} points (the winner's curse)"
    elif row["shrinkage_high"] < 0:
        what = f"more in fresh futures than in those it was chosen by, a difference of {gap} points"
    else:
        what = f"no difference between fresh futures and those it was chosen by could be shown ({gap} points)"
    return f"It saves {what}." if "no difference" not in what else f"What it saves: {what}."


# --- one by one -------------------------------------------------------------------------------------------------------


def _alone(found: Found) -> list[str]:
    rows = found.tables["effects"]
    if rows.empty:
        return []
    rows = rows[(rows["family"] == HEADLINE) & (rows["futures"] == "training")].sort_values("effect", ascending=False)
    lines = [
        "## Each lever, and the packages that were listed",
        "",
        f"Points of {found.spec.outcome} saved against doing nothing in the same future, all troubles counting alike. "
        f"P is corrected by Holm over {int((found.tables['effects']['family'] == HEADLINE).sum())} tests.",
        "",
        "| package | saved | P | what can be said |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row['package']} | {_interval(row, 'effect', 'low', 'high')} | {_p(row['p_holm'])} | {_said(row)} |"
        for row in rows.to_dict("records")
    ]
    return [*lines, ""]


def _said(row: dict[Hashable, Any]) -> str:
    """What can be said of an effect; where no future differed, that it changed nothing is no matter of chance."""
    return (
        "changed nothing in any of these futures" if row["low"] == row["effect"] == row["high"] == 0 else row["claim"]
    )


def _worth(found: Found) -> list[str]:
    rows = found.tables["value"]
    rows = rows[(rows["type"] == ALL) & rows["per_unit"].notna()].sort_values("per_unit", ascending=False)
    if rows.empty:
        return []
    lines = [
        "## For each unit spent",
        "",
        f"Days of {found.spec.outcome} saved for each day of output spent, means over futures; intervals by the "
        "jackknife, each for itself, so that the best of many looks better than it is. A package that costs the state "
        "nothing has no such figure: somebody else pays.",
        "",
        "| package | futures | spent | saved | for each unit |",
        "|---|---|---|---|---|",
    ]
    for row in rows.head(MOST).to_dict("records"):
        cells = (_interval(row, name, f"{name}_low", f"{name}_high") for name in ("spent", "saved", "per_unit"))
        lines.append(f"| {row['package']} | {row['futures'].replace('_', '-')} | {' | '.join(cells)} |")
    return [*lines, *_more(rows), ""]


def _front(found: Found) -> list[str]:
    spec = found.spec
    front = found.tables["packages"]
    front = front[front["front"]].sort_values("cost")
    tested = found.tables["held_out"].set_index("package").to_dict("index")
    mean = spec.search.statistic == "mean"
    name = "mean" if mean else f"{100 * spec.share:g} % quantile"
    lines = [
        "## The front: no package lived was both cheaper and better",
        "",
        *_searched(found),
        f"| package | cost | loss, {name} | cost, fresh futures | loss, {name}, fresh | saved in the mean, fresh |",
        "|---|---|---|---|---|---|",
    ]
    of = "loss" if mean else "loss_quantile"
    for row in front.head(MOST).to_dict("records"):
        fresh = tested[row["package"]]
        cells = (f"{value:.3g}" for value in (row["cost"], row[of], fresh["cost_held_out"], fresh[f"{of}_held_out"]))
        saved = _interval(fresh, "saved_held_out", "saved_held_out_low", "saved_held_out_high")
        lines.append(f"| {row['package']} | {' | '.join(cells)} | {saved} |")
    return [*lines, *_more(front), ""]


def _searched(found: Found) -> list[str]:
    """How the front was found, and whether the search had come to rest."""
    search, volumes = found.spec.search, found.tables["generations"]
    many = f"{len(found.tables['packages']):,} packages"
    if search.algorithm == "none":
        return [f"Nothing was searched: these are the best of the {many} that were listed.", ""]
    if search.algorithm == "all":
        return [f"All {many} were lived.", ""]
    if len(volumes) <= FEWEST_TO_SETTLE:
        state = "are too few to tell whether anything better is left"
    elif volumes["settled"].iloc[-1]:
        state = "end with a hypervolume that had settled: the last third of them added less than 1 %"
    else:
        state = "**end before the hypervolume had settled**: more may find better packages"
    return [
        f"NSGA-II (seed {search.seed}) lived {many}; its {search.generations} generations {state} (pareto.png).",
        "",
    ]


def _regret(found: Found) -> list[str]:
    spec = found.spec
    rows = found.tables["packages"]
    rows = rows[rows["within_budget"]]
    if len(rows) < 2:
        return []
    least = rows.iloc[int(rows["regret_most"].to_numpy().argmin())]
    mean = rows.iloc[int(rows["regret_mean"].to_numpy().argmin())]
    nothing = _row(found.tables["packages"], "none")
    lines = [
        "## Regret",
        "",
        "Regret is what a package loses beyond the best package of the same future; the largest of the futures tried "
        "is no bound on those that were not. The best is picked with hindsight, so even the best package has some; and "
        f"the packages named here were picked out of {len(rows):,} in these same futures, so their regret is told "
        "too low.",
        "",
        f"- Smallest largest regret: {least['package']}, {least['regret_most']:.3g} points of {spec.outcome} at most; "
        f"doing nothing {nothing['regret_most']:.3g}.",
        f"- Smallest mean regret: {mean['package']}, {mean['regret_mean']:.3g} points of {spec.outcome}; doing "
        f"nothing {nothing['regret_mean']:.3g}.",
    ]
    return [*lines, ""]


# --- against what it has not seen -------------------------------------------------------------------------------------


def _left_out(found: Found) -> list[str]:
    rows = found.tables["left_out"]
    if rows.empty:
        return []
    lines = ["## One kind of trouble left out", "", "Chosen without it, then lived against it, in fresh futures:", ""]
    for row in rows.to_dict("records"):
        gap = f"{100 * row['gap']:.3g} points [{100 * row['gap_low']:.3g}, {100 * row['gap_high']:.3g}]"
        if row["package"] == "none":
            what = "nothing would have been done"
        elif row["gap_low"] > 0:
            what = f"it saves less than against what it was chosen by, by {gap}"
        elif row["gap_high"] < 0:
            what = f"it saves more than against what it was chosen by, a gap of {gap}"
        else:
            what = f"no difference could be shown, a gap of {gap}"
        lines.append(f"- without {row['held_out']}: {row['package']}; {what}.")
    return [*lines, ""]


def _sealed(found: Found) -> list[str]:
    rows = found.tables["sealed"]
    if rows.empty:
        return []
    lines = ["## The sealed troubles", ""]
    if found.opened_before:
        times = sorted({one.at for one in found.opened_before})
        lines += [
            f"**The seal was broken before**: these troubles were opened on {', '.join(times)} for another choice. Who "
            "chose now may have known how that ended, so what follows is no final test.",
            "",
        ]
    else:
        lines += ["Opened once, after the choice was made, and noted on the disk.", ""]
    for row in rows.to_dict("records"):
        new = "a kind of shock that was not chosen by" if row["new_kind"] else "**of a kind that was chosen by**"
        lines.append(
            f"- {row['type']} ({new}): {row['package']} against doing nothing: "
            f"{_interval(row, 'effect', 'low', 'high')} points of {found.spec.outcome} saved, "
            f"corrected P {_p(row['p_holm'])}: {row['claim']}. Mean loss {row['loss_none']:.3g} % without, "
            f"{row['loss_chosen']:.3g} % with it, n = {row['n']}."
        )
    return [*lines, ""]


def _winners(found: Found) -> list[str]:
    rows = found.tables["winners"]
    if rows.empty:
        return []
    lines = [
        "## Winners and losers",
        "",
        f"Effects on the production of each sector, region and class of size; P corrected by Holm over {len(rows):,} "
        "cells (winners.csv, winners.png).",
        "",
    ]
    for package, some in rows.groupby("package", sort=False):
        won, lost = some[some["claim"] == SAVES], some[some["claim"] == HARMS]
        told = f"helped {_groups(won)}" if len(won) else "no group could be shown to gain"
        hurt = f"**harmed {_groups(lost)}**" if len(lost) else "no group could be shown to be harmed"
        lines.append(f"- {package}: {told}; {hurt}.")
    return [*lines, ""]


def _groups(rows: pd.DataFrame) -> str:
    ordered = rows.reindex(rows["effect"].abs().sort_values(ascending=False).index)
    some = [f"{row['group']} ({row['effect']:+.2g} points)" for row in ordered.head(4).to_dict("records")]
    more = f" and {len(rows) - 4} more groups" if len(rows) > 4 else ""
    return ", ".join(some) + more


def _verdicts(found: Found) -> list[str]:
    rows = found.tables["verdicts"]
    if rows.empty:
        return []
    lines = [
        "## Fragile or antifragile",
        "",
        "The response of output as shocks grow from nothing to full strength, in the base world, each against its twin "
        "with the same policies and no shock; corrected by Holm over all rows. The label is no ranking.",
        "",
        "| package | trouble | label | G, % | worst d, % | smallest H, % | n | why |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows.to_dict("records"):
        if not row["label"]:
            lines.append(f"| {row['package']} | {row['type']} | none | - | - | - | - | {row['reason']} |")
            continue
        cells = [
            f"{100 * row[name]:.2g} [{100 * row[f'{name}_low']:.2g}, {100 * row[f'{name}_high']:.2g}]"
            for name in ("gain", "worst", "min_curvature")
        ]
        more = row["needed"]
        enough = f"; about {more:.0f} more replicates are needed" if pd.notna(more) and more else ""
        why = row["reason"] if "more" in row["reason"] else f"{row['reason']}{enough}"
        lines.append(
            f"| {row['package']} | {row['type']} | {row['label']} | {' | '.join(cells)} | {row['n']} | {why} |"
        )
    return [*lines, ""]


def _limits(found: Found) -> list[str]:
    spec = found.spec
    cap = "" if spec.budget is None else f", within {spec.budget:g} days of output"
    least = "mean" if spec.search.statistic == "mean" else f"{100 * spec.share:g} % quantile"
    aim = "the cheapest package that meets the target, or else " if spec.target is not None else ""
    return [
        "## What this rests on",
        "",
        f"- Rule of choice, fixed before: {aim}the package with the lowest {least} of loss{cap}.",
        "- Effects are of this model and of the futures that the study describes, each kind of trouble counting alike; "
        "nobody's taxes pay for what is spent.",
        "- Where nothing could be shown, that does not prove that nothing is there: the interval says how large it can "
        "be.",
    ]


# --- pieces -----------------------------------------------------------------------------------------------------------


def _row(frame: pd.DataFrame, package: str) -> dict[str, Any]:
    return dict(frame[frame["package"] == package].iloc[0])


def _interval(row: Any, value: str, low: str, high: str) -> str:
    return f"{row[value]:+.3g} [{row[low]:+.3g}, {row[high]:+.3g}]"


def _p(value: float) -> str:
    if pd.isna(value):
        return "unknown"
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def _more(rows: Sequence[Any] | pd.DataFrame) -> Iterable[str]:
    return [f"({len(rows) - MOST} more rows in the table.)"] if len(rows) > MOST else []


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
