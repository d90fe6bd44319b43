"""The report of a comparison: several scenarios under the same shock and the same luck."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ecosim import provenance
from ecosim.dossier import standing
from ecosim.dossier.claims import (
    ALPHA,
    NO_DIFFERENCE,
    Effect,
    compared,
    listed,
    number,
    places,
    sentence,
    signed,
)
from ecosim.dossier.document import Document, Paragraph, Picture, Points, section, table

if TYPE_CHECKING:
    from pathlib import Path

    from ecosim.dossier.document import Table
    from ecosim.resilience.comparison import Comparison
    from ecosim.resilience.pairwise import Dominance

TOLD = 3  # scenarios whose relation to the first is told in the answer


def document(folder: Path, *, allow_code: bool = False) -> Document:
    """Make the report of a comparison's folder."""
    from ecosim.resilience.comparison_figure import picture
    from ecosim.resilience.comparison_folder import read

    found, made = read(folder, allow_code=allow_code), provenance.of(folder)
    base = found.responses[found.first]
    names = list(found.responses)
    return Document(
        title=listed(names),
        kind=f"A comparison: {len(names)} scenarios, {base.made.firms:,} firms, {base.made.days:,} days, the same "
        f"shock "
        "and the same luck",
        question=question(found),
        answer=answer(found),
        sections=(
            section(
                "Which is what",
                standing.changed(made),
                verdicts(found),
                Points(tuple(f"{name}: {of.label}: {of.reason}." for name, of in found.verdicts.items())),
                Paragraph(f"Fixed before the runs: {next(iter(found.verdicts.values())).margins}. "
                          f"{sentence(next(iter(found.verdicts.values())).correction)}"),
                Picture(
                    "Above: mean response of output to the shock, from none to its full strength, with 95 % intervals. "
                    f"Below: paired differences from {found.first} with their intervals; above zero is less lost.",
                    lambda: picture(found, upright=True),
                ),
            ),
            section("Who loses less", Points(tuple(relations(found))), effects(found)),
            section("What it costs to keep", costs(found)),
            standing.assumptions(
                found.scenarios[found.first].with_({"name": found.first}),
                others={name: of for name, of in found.scenarios.items() if name != found.first},
            ),
            standing.validation(made),
            standing.reproduction(folder, [_again(folder, found)], made),
            standing.data(made),
            standing.limits(*found.remarks, "A label is no ranking: two scenarios of one label may differ much in what "
                            "they lose, and two of one loss in their label."),
        ),
        colophon=standing.colophon(made),
    )  # fmt: skip


def question(found: Comparison) -> str:
    """What was asked."""
    others = [name for name in found.responses if name != found.first]
    shocks = [getattr(shock, "label", "the shock") for shock in found.scenarios[found.first].shocks]
    named = listed(others) if len(others) < 3 else "one of the others"
    return f"Does {found.first} or {named} come better through {listed(shocks)}?"


def answer(found: Comparison) -> tuple[str, str, str]:
    """Three sentences: the labels, who loses less, and how sure that is."""
    base = found.responses[found.first]
    said = relations(found)
    second = " ".join(said[:TOLD]) if len(said) <= TOLD else _many(found)
    counts = sorted({of.replicates for of in found.responses.values()})
    n = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    third = (
        f"Each was lived in {n} paired replicates at {len(base.x)} strengths of the shock; labels are at an error "
        f"rate of "
        f"{100 * next(iter(found.verdicts.values())).margins.alpha:.3g} % over all of them, and intervals are 95 % "
        f"each."
    )
    return _labels(found), second, third


def _labels(found: Comparison) -> str:
    """Which scenarios have which label, and what it would take to decide the rest."""
    by: dict[str, list[str]] = {}
    for name, of in found.verdicts.items():
        by.setdefault(of.label, []).append(name)
    open_ = by.pop("INCONCLUSIVE", [])
    told = [f"{listed(names)} {'is' if len(names) == 1 else 'are'} {label}" for label, names in by.items()]
    if open_:
        needed = [found.verdicts[name].needed or 0 for name in open_]
        more = f" (about {max(needed):,} more replicates would tell)" if min(needed) else ""
        told.append(f"for {listed(open_)} no label could be shown{more}")
    return sentence("; ".join(told), name=next(iter(found.verdicts)) if by else "")


def relations(found: Comparison) -> list[str]:
    """How each of the others stands to the first, in sentences that its intervals bear."""
    return [
        sentence(words, name=name if words.startswith(name) else found.first)
        for name, of in found.dominance.items()
        for words in [_relation(found, name, of)]
    ]


def _relation(found: Comparison, name: str, of: Dominance) -> str:
    among, first = len(found.dominance), found.first
    row = _effect(found, name, "G")
    what = "output, mean over all strengths of the shock,"
    alike = compared(row, what, "points", name, first)
    shown = of.relation in of.p_values and among * of.p_values[of.relation] <= ALPHA
    if of.relation == "equal":
        return f"{name} and {first} respond alike in each of {of.n:,} replicates"
    if shown and of.relation == "they cross":
        neither = "each loses less at some strengths of the shock, so neither is the better one"
        return f"{name} and {first} cross: {neither}; {alike}"
    if shown:
        better, worse = (name, first) if of.relation == "A dominates" else (first, name)
        return f"{better} loses no more than {worse} at any strength of the shock, and less at some; {alike}"
    if row.shown:
        return f"{alike}, but that one is better at every strength is not shown"
    return alike


def _many(found: Comparison) -> str:
    among = len(found.dominance)
    better = [
        n
        for n, of in found.dominance.items()
        if of.relation == "A dominates" and among * of.p_values[of.relation] <= ALPHA
    ]
    worse = [
        n
        for n, of in found.dominance.items()
        if of.relation == "B dominates" and among * of.p_values[of.relation] <= ALPHA
    ]
    said = []
    if better:
        said.append(f"{listed(better)} lose no more than {found.first} at any strength of the shock and less at some")
    if worse:
        said.append(f"{listed(worse)} lose no less at any strength and more at some")
    if not said:
        return sentence(f"Neither way {NO_DIFFERENCE} to {found.first} that holds at every strength of the shock")
    rest = among - len(better) - len(worse)
    return sentence("; ".join([*said, *([f"of {rest} others neither is shown"] if rest else [])]))


def _effect(found: Comparison, name: str, outcome: str) -> Effect:
    """Effect at full strength in percent points, as one of all scenarios that are held against the first."""
    from ecosim.resilience.comparison import SHARES

    rows = found.effects
    row = rows[
        ((rows["scenario"] == name) & (rows["outcome"] == outcome) & (rows["intensity"] == 1.0)).to_numpy()
    ].iloc[0]
    scale = 100.0 if outcome in SHARES else 1.0
    return Effect(scale * row["effect"], scale * row["low"], scale * row["high"], int(row["n"]), len(found.dominance))


def verdicts(found: Comparison) -> Table:
    """Each scenario with its label and the numbers that it rests on."""
    rows = []
    for name, of in found.verdicts.items():
        shown = of.intervals
        cells = [
            _share(shown[key].value, shown[key].low, shown[key].high) for key in ("gain", "worst", "min_curvature")
        ]
        ruin = shown["ruin"]
        ruined = f"{round(ruin.value * ruin.n):,} of {ruin.n:,} (to {100 * ruin.high:.3g} %)"
        rows.append((name, of.label, *cells, ruined, f"{of.n:,}"))
    head = ("scenario", "label", "mean response G, %", "worst mean response, %", "strongest curvature, %", "ruin", "n")
    return table("Labels with what they rest on, each with its 95 % interval, in % of the twin's output.", head, rows)


def _share(value: float, low: float, high: float) -> str:
    digits = places(100.0 * (high - low))
    return f"{signed(100 * value, digits)} [{signed(100 * low, digits)}, {signed(100 * high, digits)}]"


def effects(found: Comparison) -> Table:
    """All outcomes at full strength, against the first scenario."""
    from ecosim.resilience.comparison import EFFECTS, SHARES

    last = found.effects[found.effects["intensity"] == 1.0]
    rows = []
    for row in last.to_dict("records"):
        effect = _effect(found, str(row["scenario"]), str(row["outcome"]))
        scale, unit = (100.0, " %") if row["outcome"] in SHARES else (1.0, "")
        digits = effect.places
        first, other = (f"{signed(scale * row[key], digits)}{unit}" for key in ("first", "other"))
        said = "no difference at all" if effect.none else "shown" if effect.shown else NO_DIFFERENCE
        rows.append((row["scenario"], EFFECTS[row["outcome"]], first, other, f"{signed(effect.value, digits)}",
                     f"{signed(effect.low, digits)} to {signed(effect.high, digits)}", said))  # fmt: skip
    among = f", all {len(found.dominance)} compared allowed for" if len(found.dominance) > 1 else ""
    return table(
        f"At full strength, against {found.first}: means, mean of paired differences (points where means are in %) "
        f"with its 95 % interval, and whether a difference is shown{among}.",
        ("scenario", "outcome", found.first, "it", "difference", "95 % interval", ""),
        rows,
    )


def costs(found: Comparison) -> Table:
    """What each keeps in order to be resilient."""
    rows = [
        (row["scenario"], number(row["stock_days"], 2), f"{number(100 * row['spare_capacity'] + 0.0, 1)} %",
         number(row["links"], 2), number(row["output_a_day"], 0))
        for row in found.costs().to_dict("records")
    ]  # fmt: skip
    head = ("scenario", "stocks, days of output", "spare capacity", "links a firm", "usual output a day")
    return table("What each keeps all the time, means over replicates: compare like with like.", head, rows)


def _again(folder: Path, found: Comparison) -> str:
    files = " ".join(shlex.quote(str(folder / f"scenario_{at}.yaml")) for at in range(1, len(found.scenarios) + 1))
    base = found.responses[found.first]
    most = max(of.replicates for of in found.responses.values())
    looks = " --looks" if next(iter(found.verdicts.values())).margins.looks > 1 else ""
    asked = f"--replicates {most}{looks} --axis {base.made.axis} --intensities {len(base.x)}"
    return f"ecosim compare {files} {asked} --out again"
