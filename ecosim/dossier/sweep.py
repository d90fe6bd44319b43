"""The report of a sweep: which factors matter, how, and where outcomes of interest lie."""

from __future__ import annotations

import shlex
from math import isnan
from typing import TYPE_CHECKING, Any

from scipy import special

from ecosim import provenance
from ecosim.artefact import SWEEP
from ecosim.dossier import standing
from ecosim.dossier.claims import ALPHA, Effect, listed, sentence
from ecosim.dossier.document import Document, Listing, Paragraph, Picture, Points, section, table

if TYPE_CHECKING:
    from pathlib import Path

    from ecosim.dossier.document import Block, Table
    from ecosim.study.analysis.analysis import Analysis
    from ecosim.study.results import Study

DECIDES = ("ST", "S1", "mu", "PAWN")  # the index by which a factor is said to matter, the first that there is
PAIRED = frozenset({"full", "one_at_a_time"})  # designs whose effects are known replicate by replicate
CAPTIONS = {
    "indices": "How much each factor matters, with 95 % intervals; hollow dots are not known well enough.",
    "effects": "Mean outcome along each factor, over all that the others do, with 95 % intervals.",
    "surface": "The two factors of the largest indices, together.",
    "boxes": "Where outcomes of interest lie, and how well that holds on points that were held out.",
}
NONE_MATTERS = "no factor could be shown to matter"


def document(folder: Path, *, allow_code: bool = False) -> Document:
    """Make the report of a study's folder, finished or not, about its usual outcome."""
    from ecosim.config import Scenario
    from ecosim.config.source import read_text
    from ecosim.study.results import Study

    study, made = Study.load(folder), provenance.of(folder)
    analysis = _analysed(study)
    path = folder / "scenario.yaml"
    base = Scenario.from_yaml(read_text(path), name=str(path), allow_code=allow_code)
    spec = study.manifest["spec"]
    return Document(
        title=study.manifest["name"],
        kind=f"A sweep: {study.manifest['points']:,} points, up to {study.manifest['replicates']:,} replicates of each",
        question=f"How does {analysis.sample.outcome} follow "
        f"{listed([f'{name}' for name in study.manifest['factors']])}?",
        answer=answer(analysis),
        sections=(
            section("What matters", standing.changed(made), Points(tuple(map(sentence, analysis.words))),
                    _indices(analysis), _pictures(analysis)),
            section("How the outcome follows each factor", _effects(analysis)),
            *([section("Where outcomes of interest lie", _boxes(analysis))] if analysis.discovery is not None else []),
            section("What it cost", Paragraph("A sweep keeps the figures of its runs, and no accounts of what was "
            "spent; "
                                              "ecosim run with one point's values keeps them."), _outcomes(study)),
            standing.assumptions(base, f"Factors: {_factors(study)}."),
            standing.validation(made),
            standing.reproduction(folder, [_again(study)], made, ("SHA-256 of the "
            "study", study.manifest["study_sha256"])),
            standing.data(made),
            standing.limits("What matters is what matters within these ranges: another range would give another order.",
                            "An interval that leaves out zero says that chance is an unlikely cause, and not that the "
                            "factor would act so in a real place."),
            section("The study", Listing(_plain(spec), "What was asked for:", folded=True)),
        ),
        colophon=standing.colophon(made),
    )  # fmt: skip


def _analysed(study: Study) -> Analysis:
    """The study's usual outcome; where none varies, which is a result, too, the first that it kept."""
    from ecosim.errors import InputError

    try:
        return study.analyse()
    except InputError:
        names = study.manifest["spec"].get("outcomes") or ()
        if not names:
            raise
        return study.analyse(names[0])


def answer(analysis: Analysis) -> tuple[str, str, str]:
    """Three sentences: how the outcome varies, what matters, and how sure that is."""
    sample = analysis.sample
    low, middle, high = float(sample.mean.min()), float(sample.mean.mean()), float(sample.mean.max())
    first = (
        f"Over {len(sample.mean):,} points {sample.outcome} was {middle:.4g} in the mean, from {low:.4g} to "
        f"{high:.4g} between "
        "points"
    )
    matter = shown(analysis)
    if matter:
        rest = [name for name in analysis.ranking if name not in matter]
        none = f"; of {listed(rest)} nothing could be shown" if rest else ""
        second = f"{listed(matter)} {'matters' if len(matter) == 1 else 'matter'}: chance is an unlikely cause{none}"
    else:
        second = f"Of {listed(analysis.ranking)}, {NONE_MATTERS}"
    share = sample.noise_share
    luck = "with one replicate a point, luck cannot be told from what factors do" if share is None else (
        f"{100 * share:.0f} % of the variance between points is luck")  # fmt: skip
    state = (
        f"{sample.missing:,} of {sample.planned:,} runs are missing, so all of this may change; "
        if sample.missing
        else ""
    )
    third = (
        f"{state}{luck}, and {len(analysis.ranking)} factors were allowed for at an error rate of {100 * ALPHA:.0f} %"
    )
    return sentence(first), sentence(second), sentence(third)


def shown(analysis: Analysis) -> list[str]:
    """Factors that are shown to matter once all of them are allowed for (Bonferroni), in their order."""
    if analysis.design in PAIRED:
        return [name for name in analysis.ranking if _moves(analysis, name)]
    wider = float(special.ndtri(1 - ALPHA / 2 / max(len(analysis.ranking), 1)) / special.ndtri(1 - ALPHA / 2))
    return [name for name in analysis.ranking if _beyond_chance(analysis, name, wider)]


def _moves(analysis: Analysis, name: str) -> bool:
    """Whether an effect of any value of a factor is shown, replicate by replicate."""
    rows = analysis.effects[analysis.effects["factor"] == name]
    runs = analysis.sample.runs
    import numpy as np

    whole = int((~np.isnan(runs).any(axis=0)).sum())
    among = len(analysis.effects)
    for row in rows.to_dict("records"):
        n = whole if whole > 1 else int(row["points"])
        if n < 2 or isnan(row["low"]):
            continue
        if Effect(row["effect"], row["low"], row["high"], n, among).shown:
            return True
    return False


def _beyond_chance(analysis: Analysis, name: str, wider: float) -> bool:
    rows = analysis.indices[analysis.indices["factor"] == name]
    for index in DECIDES:
        here = rows[rows["index"] == index]
        if not len(here):
            continue
        row = here.iloc[0]
        null = 0.0 if isnan(row["chance"]) else float(row["chance"])
        low, high = (row["value"] + wider * (row[side] - row["value"]) for side in ("low", "high"))
        wide = low < high  # where all resamples agree there are too few points to say how sure it is
        return bool(row["converged"]) and wide and bool(low > null or (index == "mu" and high < null))
    return False


def _indices(analysis: Analysis) -> list[Block]:
    if analysis.indices.empty:
        return []
    rows = [
        (row["factor"], row["index"], f"{row['value']:.3g}", f"{row['low']:.3g} to {row['high']:.3g}",
         "–" if isnan(row["chance"]) else f"{row['chance']:.3g}", "yes" if row["converged"] else "no")
        for row in analysis.indices.to_dict("records")
    ]  # fmt: skip
    head = ("factor", "index", "value", "95 % interval", "by chance", "converged")
    return [table("How much each factor matters (docs/analysis.md says what the indices are).", head, rows)]


def _effects(analysis: Analysis) -> Table:
    rows = []
    for row in analysis.effects.to_dict("records"):
        value = f"{row['value']:.4g}" if isinstance(row["value"], float) else str(row["value"])
        known = not isnan(row["low"])
        interval = f"{row['low']:+.3g} to {row['high']:+.3g}" if known else "not known"
        effect = f"{row['effect']:+.3g}" if not isnan(row["effect"]) else "–"
        rows.append((row["factor"], value, f"{row['mean']:.4g}", effect, interval, f"{row['points']:,}"))
    return table(f"Mean {analysis.sample.outcome} at values of each factor, and its difference from all points (or "
    f"the base).",
                 ("factor", "value", "mean", "effect", "95 % interval", "points"), rows)  # fmt: skip


def _boxes(analysis: Analysis) -> list[Block]:
    found = analysis.discovery
    assert found is not None
    confirmed = int(found.table["confirmed"].sum())
    said = (
        f"Outcomes {found.interest} are {100 * found.base_rate:.0f} % of the held-out points. {confirmed} of "
        f"{len(found.table)} boxes hold on points that they were not made from."
    )
    if not confirmed:
        said += " So no corner could be shown in which such outcomes are more frequent."
    rows = [
        (row["method"], row["box"], f"{100 * row['held_out_coverage']:.0f} %",
         f"{100 * row['held_out_density']:.0f} %", f"{100 * row['low']:.0f} to {100 * row['high']:.0f} %",
         "yes" if row["confirmed"] else "no")
        for row in found.table.to_dict("records")
    ]  # fmt: skip
    head = ("method", "box", "coverage", "density", "95 % interval", "confirmed")
    return [Paragraph(said), table("Boxes, judged on held-out points.", head, rows)]


def _pictures(analysis: Analysis) -> list[Block]:
    from ecosim.study.analysis.figures import pictures

    return [Picture(CAPTIONS[name], make) for name, make in pictures(analysis).items()]


def _outcomes(study: Study) -> Table:
    from ecosim.study.results import ABOUT

    kept = study.table()
    left_out = {*ABOUT, *study.manifest["factors"], "status", "error"}
    numbers = kept[[name for name in kept if name not in left_out]].select_dtypes("number")
    rows = [
        (name, f"{column.mean():.4g}", f"{column.min():.4g}", f"{column.max():.4g}", f"{int(column.notna().sum()):,}")
        for name, column in numbers.items()
        if column.notna().any()
    ]
    return table("Every outcome over all runs.", ("outcome", "mean", "least", "most", "runs"), rows)


def _factors(study: Study) -> str:
    said = []
    for name in study.manifest["factors"]:
        values = study.design[name]
        if values.dtype.kind in "if":
            said.append(f"{name} from {values.min():.4g} to {values.max():.4g}")
        else:
            said.append(f"{name} one of {', '.join(map(str, values.unique()[:6]))}")
    return "; ".join(said)


def _plain(spec: dict[str, Any]) -> str:
    import json

    return json.dumps(spec, indent=1, ensure_ascii=False)


def _again(study: Study) -> str:
    typed = study.manifest.get("command")
    if typed:
        words = list(typed)
        if "--out" in words:
            words[words.index("--out") + 1] = "again"
        return shlex.join(words) + ("" if "--out" in words else " --out again")
    held = shlex.quote(str(study.folder / SWEEP.holder))
    return f"ecosim sweep STUDY.yaml --out again   # what {held} holds under spec"
