"""The report of a run: one world under its shocks beside the same world without them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from ecosim.dossier import standing
from ecosim.dossier.claims import listed, number
from ecosim.dossier.document import Document, Listing, Paragraph, Picture, Points, section, table

if TYPE_CHECKING:
    from pathlib import Path

    from ecosim.dossier.document import Block, Section, Table
    from ecosim.result import Result

NOTICEABLE = 0.05  # percent below which a loss is none that could be told
NO_LOSS = "no loss could be told apart from none"
ONE_DRAW = (
    "These figures are exact for this one draw of chance (seed {seed}), beside a twin that differs in nothing but the "
    "shocks; how much another draw would give is not known from one run, so no interval is given."
)
SEVERAL = "For an interval, live many draws: ecosim sweep with replicates, or ecosim compare with a second scenario."


def document(folder: Path, *, allow_code: bool = False) -> Document:
    """Make the report of a run's folder."""
    from ecosim.result import Result

    result = Result.load(folder, allow_code=allow_code)
    summary, made = result.summary, result.manifest
    return Document(
        title=summary["name"],
        kind=f"A run: {summary['economy']['firms']:,} firms, {summary['days']:,} days, beside its undisturbed twin",
        question=question(summary),
        answer=answer(summary),
        sections=(
            section("What happened", standing.changed(made), Points(tuple(_told(summary))), _pictures(result)),
            *_cascade(result),
            section("What it cost", costs(summary), _policies(summary)),
            standing.assumptions(result.scenario),
            standing.validation(made),
            standing.reproduction(folder, [_again(folder, made)], made, *_facts(made)),
            standing.data(made),
            standing.limits(ONE_DRAW.format(seed=summary["seed"]), SEVERAL),
            section("The scenario", Listing(result.scenario.to_yaml().rstrip(), "Everything in it, defaults included:",
                                            folded=True)),
        ),
        colophon=standing.colophon(made),
    )  # fmt: skip


def question(summary: dict[str, Any]) -> str:
    """What was asked."""
    names = [shock["name"] for shock in summary["shocks"] if not shock["too_late"]]
    if not names:
        return f"How does {summary['name']} live {summary['days']:,} days in which nothing strikes?"
    shown = listed([*names[:3], f"{len(names) - 3} more"] if len(names) > 3 else names)
    end = (
        f", and what did {listed([policy['name'] for policy in summary['policies']])} cost"
        if summary["policies"]
        else ""
    )
    return f"What did {shown} do to {summary['name']} within {summary['days']:,} days{end}?"


def answer(summary: dict[str, Any]) -> tuple[str, str, str]:
    """Three sentences: what was lost, how it went on, and how sure that is."""
    loss, bottom = summary["loss"], summary["bottom"]
    lost = loss["production_percent"]
    if summary["largest_deviation_percent"] < NOTICEABLE:
        first = f"Output never left that of the undisturbed twin by {NOTICEABLE} %: {NO_LOSS}."
    else:
        more = "less" if lost >= 0 else "more"
        first = (
            f"Firms made {number(abs(lost), 2)} % {more} than in the undisturbed twin over {summary['days']:,} "
            f"days, and "
            f"on the worst day ({bottom['day']}) output stood at {bottom['production_percent_of_twin']:.1f} % of the "
            "twin's."
        )
    back = _back(summary)
    failed = summary["failed"]
    fell = (
        "no firm fell below half of its usual output" if not failed["firms"] else
        f"{failed['firms']:,} of {summary['economy']['firms']:,} firms fell below half of their usual output at some "
        f"time, {failed['undamaged']:,} of them without any damage of their own and where the twin's did not"
    )  # fmt: skip
    return first, f"{back}; {fell}.", ONE_DRAW.format(seed=summary["seed"])


def _back(summary: dict[str, Any]) -> str:
    if summary["largest_deviation_percent"] <= 1.0:
        return "Output stayed within 1 % of the twin's"
    relapse = summary["relapse"]
    day = relapse["recovered_on"] if relapse is not None else summary["recovered_on"]
    if day is None:
        return f"It was not back within 1 % of the twin for a week by the end (day {summary['days'] - 1:,})"
    return f"From day {day:,} it was back within 1 % of the twin for a week or more"


def _told(summary: dict[str, Any]) -> list[str]:
    from ecosim.report.summary import sentences

    return sentences(summary)


def costs(summary: dict[str, Any]) -> Table:
    """What was lost, and what that is worth."""
    output, loss = summary["economy"]["output_a_day"], summary["loss"]
    rows = [("capacity that shocks took", summary["direct_capacity_lost"], None)]
    rows += [
        (f"{words} lost", loss[name], loss[f"{name}_percent"])
        for name, words in (("production", "output"), ("value_added", "value "
        "added"), ("final_consumption", "customers' purchases"))
    ]  # fmt: skip
    if summary.get("goods_destroyed"):
        rows.append(("stocks destroyed", summary["goods_destroyed"], None))
    rows += [
        (f"spent by {policy['name']} (of which {number(policy['returned'], 0)} came back)", policy["spent"], None)
        for policy in summary["policies"]
    ]
    told = [
        (
            what,
            number(amount + 0.0, 0),
            number(amount / output + 0.0, 2),
            "–" if share is None else f"{number(share + 0.0, 2)} %",
        )
        for what, amount, share in rows
    ]
    return table(
        "Against the undisturbed twin; a currency unit is that of the scenario's economy.",
        ("what", "currency units", "days of all output", "share of the twin's"),
        told,
    )


def _policies(summary: dict[str, Any]) -> list[Block]:
    from ecosim.report.aid import sentences

    return [Points(tuple(sentences(summary["policies"])))] if summary["policies"] else []


def _pictures(result: Result) -> list[Block]:
    from ecosim.dossier.map import losses
    from ecosim.report.figure import picture

    shown: list[Block] = [
        Picture(
            "Output and purchases in % of the twin's, firms below half of their output, and whose loss it was.",
            lambda: picture(result.series, result.firms, result.summary),
        )
    ]
    if (result.firms["lost"] > 0).any() and result.firms[["x", "y"]].nunique().gt(1).all():
        caption = "Where firms stand, and which share of its own output each lost; a larger dot is a larger firm."
        shown.append(Picture(caption, lambda: losses(result.firms)))
    return shown


def _cascade(result: Result) -> list[Section]:
    if result.lineage is None or result.debts is None or not len(result.lineage):
        return []
    from ecosim.lineage.picture import timeline, tree
    from ecosim.lineage.story import Story

    story = Story(result)
    if not len(story.cascade.entries):
        return []
    by = story.cascade.by_generation()
    rows = [
        ("struck itself" if at == 0 else f"{at} firm{'' if at == 1 else 's'} away", number(row["loss"], 0),
         f"{100 * row['share']:.1f} %", f"{int(row['firms']):,}")
        for at, row in by.iterrows()
    ]  # fmt: skip
    return [
        section(
            "How the harm spread",
            Points(tuple(line.strip() for line in story.of_all())),
            table("Loss by distance from where it began.", ("distance", "output lost", "share", "firms"), rows),
            Picture("Who harmed whom: from the firms that were struck, through whom most harm "
            "passed.", lambda: tree(story)),
            Picture("What was lost each day by what bound firms, and the days of those that lost "
            "most.", lambda: timeline(story)),
            Paragraph("Each entry is one way in which the loss can be told; ecosim explain --check lives it again "
            "to see."),
        )
    ]  # fmt: skip


def _again(folder: Path, made: dict[str, Any]) -> str:
    noted = made.get("lineage", {}).get("top")
    lineage = "" if noted is None else " --lineage full" if noted < 0 else f" --lineage {noted}"
    return f"ecosim run {shlex.quote(str(folder / 'scenario.yaml'))}{lineage} --out again"


def _facts(made: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("replicate", str(made.get("replicate", ""))),
        ("SHA-256 of the network", made.get("network_sha256", "")),
        ("SHA-256 of the daily series", made.get("series_sha256", "")),
    ]
