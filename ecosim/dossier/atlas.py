"""The report of an atlas: which structure is what, under which shock, with which habits."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING, Any

from ecosim import provenance
from ecosim.artefact import ATLAS
from ecosim.dossier import standing
from ecosim.dossier.claims import NO_DIFFERENCE, listed, number, sentence
from ecosim.dossier.document import Document, Listing, Paragraph, Picture, Points, section, table

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ecosim.dossier.document import Block, Table
    from ecosim.resilience.atlas_run import Atlas

MEASURE = "consumption"


def document(folder: Path, *, allow_code: bool = False) -> Document:
    """Make the report of an atlas's folder; all of its cells must have been lived."""
    from ecosim.errors import InputError
    from ecosim.resilience.atlas_page import counts, habits, standings
    from ecosim.resilience.atlas_run import read

    found, made = read(folder, allow_code=allow_code), provenance.of(folder)
    missing = _missing(found)
    if missing:
        raise InputError(
            f"{folder}: {missing:,} cells of the atlas are missing; go on with ecosim atlas before a report"
        )
    spec = found.spec
    size = f"{len(spec.structures)} structures, {len(spec.shocks)} shocks, {len(spec.habits)} habits"
    return Document(
        title=spec.name,
        kind=f"An atlas: {size}, {spec.replicates:,} paired replicates of each",
        question=f"Which of {len(spec.structures)} structures are fragile, robust, resilient or antifragile, under "
        f"which of "
        f"{len(spec.shocks)} shocks and with which habits?",
        answer=answer(found),
        sections=(
            section(
                "The map",
                standing.changed(made),
                Paragraph("Colour and letter are the label; the number is the mean response G to the shock from "
                "none to "
                          "its full strength, in % of what customers get without it. INCONCLUSIVE (?) means that "
                          "nothing "
                          "could be shown; it does not mean that nothing happens."),
                _maps(found),
                _frame("How many cells have each label.", counts(found.table)),
            ),
            section("Structures in order", Points(tuple(_standings(found))), _frame(
                "Mean rank over all shocks by G (1 is best), with a 95 % bootstrap interval over replicates; ranks "
                "whose "
                "intervals overlap are not told apart.", standings(found)), _ranks(found)),
            section("What habits cost, and what they save", Points(tuple(_habits(found))), _frame(
                "Cost in % of output; mean G over all structures and shocks with the half-width of its 95 % interval.",
                habits(found)), _prices(found)),
            section("Assumptions", Points(_assumed(found))),
            standing.validation(made),
            standing.reproduction(folder, [_again(folder, made)], made, ("SHA-256 of the atlas", spec.digest())),
            standing.data(made),
            standing.limits(
                "Labels are corrected by Holm over the structures of one habit and shock; over the whole map some of "
                "those shown at 5 % will be wrong.",
                "Firms of an atlas are of one sort and few, so that structures can be told apart; it is no map of a "
                "country.",
            ),
            section("The atlas", Listing(_spec(found), "Everything in it, defaults included:", folded=True)),
        ),
        colophon=standing.colophon(made),
    )  # fmt: skip


def _missing(found: Atlas) -> int:
    if not all((found.folder / f"structure.{name}.json").exists() for name in found.spec.structures):
        return len(found.cells())
    return sum(not (found.folder / found.lived_as(cell).file).exists() for cell in found.cells())


def answer(found: Atlas) -> tuple[str, str, str]:
    """Three sentences: the labels, the habits and the structures, and how sure that is."""
    table_ = found.table
    own = table_[(table_["table"] == "own") & (table_["measure"] == MEASURE)]
    many = own["label"].value_counts()
    told = listed(
        [
            f"{count:,} {'is' if count == 1 else 'are'} {label}"
            for label, count in many.items()
            if label != "INCONCLUSIVE"
        ]
        or ["none has a label"]
    )
    open_ = int(many.get("INCONCLUSIVE", 0))
    first = f"Of {len(own):,} combinations of structure, shock and habit, {told}; {open_:,} could not be decided"
    n = sorted({int(value) for value in own["n"]})
    third = (
        f"Each combination rests on {n[0]:,}{f' to {n[-1]:,}' if len(n) > 1 else ''} paired replicates; labels are "
        f"corrected "
        "over the structures that are compared, and ranks and means come with 95 % intervals."
    )
    return sentence(first), " ".join([*_habits(found)[:1], *_standings(found)[:1]]), third


def _habits(found: Atlas) -> list[str]:
    """Which habits do better, by paired differences of their mean G against the first habit."""
    import numpy as np

    from ecosim.dossier.claims import Effect, compared, spread

    names = list(found.spec.habits)
    mean: dict[str, Any] = {}
    for habit in names:
        cells = [cell for cell in found.cells() if (cell.table, cell.habit) == ("own", habit)]
        mean[habit] = 100 * np.mean(
            [found.responses(cell).outcomes[f"d_{MEASURE}"].mean(axis=1) for cell in cells], axis=0
        )
    if len(names) == 1:
        return [f"There is one habit, {names[0]}: none is compared."]
    said = []
    for habit in names[1:]:
        gap = mean[habit] - mean[names[0]]
        half = spread(float(gap.std(ddof=1)), len(gap))
        value = float(gap.mean())
        effect = Effect(value, value - half, value + half, len(gap), len(names) - 1)
        what = "what customers get, mean over all structures, shocks and strengths,"
        said.append(sentence(compared(effect, what, "points", habit, names[0])))
    return said


def _standings(found: Atlas) -> list[str]:
    """Which structure stands first under each habit, if any can be told apart from the next."""
    from ecosim.resilience.atlas_ranks import EVERY

    every = found.ranks
    ranks = every[(every["shock"] == EVERY) & (every["measure"] == MEASURE) & (every["table"] == "own")]
    said = []
    for habit, rows in ranks.groupby("habit", sort=False):
        order = rows.sort_values("rank")
        best = order.iloc[0]
        near = [str(name) for name in order["structure"][1:][(order["rank_low"][1:] <= best["rank_high"]).to_numpy()]]
        interval = f"{best['rank_low']:.1f} to {best['rank_high']:.1f}"
        place = f"mean rank {best['rank']:.1f} of {len(rows)} (95 % interval {interval})"
        if near:
            shown = listed([*near[:3], f"{len(near) - 3} more"] if len(near) > 3 else near)
            said.append(f"With the habit {habit}, {NO_DIFFERENCE} between the structure of the best {place}, "
                        f"{best['structure']}, and {shown}.")  # fmt: skip
        else:
            said.append(f"With the habit {habit}, {best['structure']} stands first: {place}.")
    return said


def _maps(found: Atlas) -> list[Block]:
    from ecosim.resilience.atlas_map import TABLES, picture

    shown: list[Block] = []
    for which in ("own", "equal"):
        here = found.table[found.table["table"] == which]
        for name, habit in found.spec.habits.items():
            as_it_is = all(found.scale(which, name, structure) == 1.0 for structure in found.spec.structures)
            if not (here["habit"] == name).any() or (which == "equal" and as_it_is):
                continue  # at equal cost it is the map above once more
            spec = found.spec.model_copy(update={"habits": {name: habit}})
            caption = (
                f"{habit.title or name}: {TABLES[which]}. Mean response G, % of what customers get without the shock."
            )
            shown.append(Picture(caption, partial(picture, spec, found.table, which=which, titled=False)))
    return shown


def _ranks(found: Atlas) -> Picture:
    from ecosim.resilience.atlas_map import ranks_picture

    return Picture("Mean ranks with their intervals.", lambda: ranks_picture(found.spec, found.ranks))


def _frame(caption: str, frame: pd.DataFrame) -> Table:
    return table(caption, [str(name) for name in frame.columns], frame.to_numpy().tolist())


def _prices(found: Atlas) -> Table:
    said = {"stock": "carrying a stock for a year, share of its value", "spare_capacity": "holding idle capacity, "
    "share of "
            "what it could make", "spare_link": "a second source, share of what the main one delivers"}  # fmt: skip
    rows = [(words, f"{number(100 * getattr(found.spec.prices, name), 1)} %") for name, words in said.items()]
    return table("Prices of being prepared; all of them assumptions.", ("what", "price"), rows)


def _assumed(found: Atlas) -> tuple[str, ...]:
    spec = found.spec
    told = [standing.WORLD["uniform"]] if spec.economy.kind == "uniform" else []
    for name, habit in spec.habits.items():
        kinds = [getattr(part, "kind", "") for part in habit.mechanisms]
        acts = f"mechanisms {listed(kinds)}" if kinds else "no mechanism beyond the published core"
        told.append(
            f"Habit {name}: {habit.inventory_days:g} days of stock, {100 * habit.headroom:g} % spare capacity, "
            f"{acts}; plans "
            f"and drills cost {100 * habit.practice:g} % of output."
        )
    told += [
        f"Shock {name}: {shock.title or name}; {listed([part.kind for part in shock.of])}."
        for name, shock in spec.shocks.items()
    ]
    return (
        *told,
        f"{spec.days:,} days, {spec.suppliers} suppliers of each firm, {spec.intensities} strengths of each shock.",
    )


def _spec(found: Atlas) -> str:
    import json

    return json.dumps(found.spec.model_dump(mode="json"), indent=1, ensure_ascii=False)


def _again(folder: Path, made: dict[str, Any]) -> str:
    typed = made.get("command")
    if not typed:
        keys = shlex.quote(str(folder / ATLAS.holder))
        return f"ecosim atlas NAME --out again   # the atlas of which {keys} holds the keys"
    words = list(typed)
    if "--out" in words:
        words[words.index("--out") + 1] = "again"
        return shlex.join(words)
    return f"{shlex.join(words)} --out again"
