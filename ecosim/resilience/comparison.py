"""Several scenarios under the same shock with the same random numbers: what each one's structure is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from ecosim.errors import InputError
from ecosim.folders import safe_name
from ecosim.resilience.comparison_alike import UNLIKE, names, refuse_unlike
from ecosim.resilience.estimate import mean_interval
from ecosim.resilience.judged import looks_up_to
from ecosim.resilience.looks import SCHEDULE, following
from ecosim.resilience.pairwise import dominance
from ecosim.resilience.pool import processes
from ecosim.resilience.several import correct
from ecosim.resilience.twins import respond

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from ecosim.config import Scenario
    from ecosim.resilience.pairwise import Dominance
    from ecosim.resilience.responses import Responses
    from ecosim.resilience.verdicts import Verdict

    type Array = NDArray[np.float64]
    type Named = Mapping[str, Scenario]

EFFECTS = {
    "d": "output, share of the twin's",
    "G": "output, mean over intensities",
    "e": "output at the end, share of the twin's",
    "depth": "largest drop of output below the twin",
    "days_to_recover": "days to recover, at most those watched",
    "consumption_lost": "final consumption lost, share of the twin's",
    "firms_failing": "firms failing, more than in the twin",
    "closures": "closures, more than in the twin",
    "gini": "Gini of firms' output, more than in the twin",
}
"""Outcomes on which scenarios are compared. "G" is the same at every intensity, so it is told once, at the last."""
SHARES = frozenset({"d", "G", "e", "depth", "consumption_lost"})
"""Those that are shares, and told in percent."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """What was found of several scenarios; the first is the one that others are held against.

    ``verdicts`` are corrected by Holm over the scenarios, ``alone`` are as if each were the only one. ``effects`` has a
    row for each other scenario, outcome (`EFFECTS`) and intensity: scenario, outcome, intensity (share of full
    strength), x, first and other (means), effect (mean of paired differences other - first) with its t interval (low,
    high; each at 95 % for itself), n, and variance_ratio (what pairing was worth: var of the difference of strangers by
    that of pairs, NaN where pairs never differ). ``dominance`` compares each with the first, as A with B.
    """

    responses: Mapping[str, Responses]
    verdicts: Mapping[str, Verdict]
    alone: Mapping[str, Verdict]
    effects: pd.DataFrame
    dominance: Mapping[str, Dominance]
    remarks: tuple[str, ...]
    scenarios: Named

    @property
    def first(self) -> str:
        """Name of the scenario that others are held against."""
        return next(iter(self.responses))

    def costs(self) -> pd.DataFrame:
        """What each scenario keeps in order to be resilient, means over replicates; a row a scenario.

        stock_days (stocks of inputs, days of all output), spare_capacity (share of usual output), links (a firm), and
        output_a_day (currency units).
        """
        rows = []
        for name, of in self.responses.items():
            mean = {cost: float(values.mean()) for cost, values in of.costs.items()}
            output = mean["output_a_day"]
            rows.append(
                {
                    "scenario": name,
                    "stock_days": mean["stock"] / output,
                    "spare_capacity": mean["spare_capacity"] / output,
                    "links": mean["links"] / of.made.firms,
                    "output_a_day": output,
                }
            )
        return pd.DataFrame(rows)

    def table(self) -> pd.DataFrame:
        """A row for each scenario: its verdict with all that it rests on, and its costs."""
        rows = [
            {"scenario": name, "label_alone": self.alone[name].label, **verdict.row()}
            for name, verdict in self.verdicts.items()
        ]
        return pd.DataFrame(rows).merge(self.costs(), on="scenario")

    def __str__(self) -> str:
        """Everything a reader needs, as text for a terminal."""
        from ecosim.resilience.comparison_text import told

        return "\n".join(told(self))

    __repr__ = __str__

    def save(self, folder: str | PathLike[str], *, force: bool = False) -> Path:
        """Write all of it to a folder that is either whole or not there; `ecosim.folders.NewFolder` says when not."""
        from ecosim.resilience.comparison_folder import write

        return write(self, folder, force=force)


def compare(
    scenarios: Sequence[Scenario | str | PathLike[str]] | Mapping[str, Scenario | str | PathLike[str]],
    *,
    replicates: int = 120,
    looks: bool = False,
    intensities: int = 9,
    axis: Literal["severity", "reach"] = "severity",
    window: float = 0.1,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    keep: str | PathLike[str] | None = None,
    **margins: float,
) -> Comparison:
    """Compare scenarios (or their YAML files) under the same shock: the first against each of the others.

    Replicate r of one is paired with replicate r of another: they have one seed, and what is drawn depends only on
    what it decides, so the same firms are hit as hard wherever ``who`` does not depend on the network. With ``looks``
    each is looked at after 60, 120, 240 and 480 replicates, up to ``replicates``, and gone on with only as long as its
    verdict, corrected over all, is open; effects then rest on the replicates that both have. ``keep`` is a folder in
    which replicates are kept, and from which the same call goes on. Other arguments as for `respond` and `classify`.

    Raises InputError for fewer than two scenarios, two of one name, and scenarios that cannot be compared: of different
    days, seeds or numbers of firms, or with shocks that differ in more than whom they strike.
    """
    named = names(scenarios)
    if not isinstance(replicates, int) or replicates < 2:
        raise InputError(f"replicates = {replicates!r}; a spread needs at least 2, and a verdict other than FRAGILE 86")
    planned = looks_up_to(replicates) if looks else (replicates,)
    margins = {**margins, "looks": len(SCHEDULE) if looks else 1}
    remarks = refuse_unlike(named)
    if keep is not None:
        Path(keep).mkdir(parents=True, exist_ok=True)
    found: dict[str, Responses] = {}
    alone: dict[str, Verdict] = {}
    open_: list[str] = list(named)
    with processes(workers) as pool:
        for n in planned:
            for name in open_:
                found[name] = respond(
                    named[name],
                    replicates=n,
                    intensities=intensities,
                    axis=axis,
                    window=window,
                    workers=pool or 1,
                    progress=_counted(progress, found, name, planned[-1] * len(named)),
                    start=found.get(name),
                    keep=None if keep is None else _file(Path(keep), named[name], intensities, axis, window),
                )
                alone[name] = found[name].classify(**margins)
            verdicts = correct({name: alone[name] for name in named})
            open_ = [name for name, verdict in verdicts.items() if following(verdict) is not None]
            if not open_:
                break
    found = {name: found[name] for name in named}
    return of_responses(found, named, (*remarks, *_afterwards(found)), margins)


def of_responses(
    responses: Mapping[str, Responses], scenarios: Named, remarks: tuple[str, ...], margins: Mapping[str, float]
) -> Comparison:
    """Make everything that a comparison says of responses that were lived, in the order of ``responses``."""
    alone = {name: of.classify(**margins) for name, of in responses.items()}
    return Comparison(
        responses=responses,
        verdicts=correct(alone),
        alone=alone,
        effects=_effects(responses),
        dominance=_dominance(responses),
        remarks=remarks,
        scenarios=scenarios,
    )


def _file(folder: Path, scenario: Scenario, intensities: int, axis: str, window: float) -> Path:
    """Where replicates of a scenario are kept."""
    name = f"{safe_name(scenario.name)[:40]}-{scenario.digest()[:16]}-{axis}-{intensities}-{window:g}.parquet"
    return folder / name


def _counted(
    progress: Callable[[int, int], None] | None, found: Mapping[str, Responses], name: str, total: int
) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    others = sum(of.replicates for other, of in found.items() if other != name)
    return lambda done, _: progress(others + done, total)


# --- what is read off ------------------------------------------------------------------------------------------------


def _values(of: Responses, outcome: str) -> Array:
    """An outcome on which scenarios are compared, shape (R, m)."""
    if outcome in ("d", "e"):
        return of.d if outcome == "d" else of.e
    if outcome == "G":
        return np.repeat(of.d.mean(axis=1, keepdims=True), len(of.x), axis=1)
    values = of.outcomes[outcome]
    if outcome == "days_to_recover":
        # Cut off at the same day in both of a pair, so their mean is one of the whole course (restricted mean).
        watched: Array = np.where(np.isnan(values), of.outcomes["days_watched"], values)
        return watched
    if outcome in ("firms_failing", "closures", "gini"):
        return values - values[:, :1]
    return values


def _effects(found: Mapping[str, Responses]) -> pd.DataFrame:
    (_, base), *others = found.items()
    rows = []
    for name, of in others:
        n = min(base.replicates, of.replicates)
        share = np.linspace(0.0, 1.0, len(base.x))
        for outcome in EFFECTS:
            one, two = _values(base, outcome)[:n], _values(of, outcome)[:n]
            gap = two - one
            for k in range(len(share) - 1 if outcome == "G" else 1, len(share)):
                estimate = mean_interval(gap[:, k])
                apart, paired = one[:, k].var(ddof=1) + two[:, k].var(ddof=1), gap[:, k].var(ddof=1)
                rows.append(
                    {
                        "scenario": name,
                        "outcome": outcome,
                        "intensity": share[k],
                        "x": base.x[k],
                        "first": one[:, k].mean(),
                        "other": two[:, k].mean(),
                        "effect": estimate.value,
                        "low": estimate.low,
                        "high": estimate.high,
                        "n": n,
                        "variance_ratio": apart / paired if paired > 1e-24 else np.nan,
                    }
                )
    return pd.DataFrame(rows)


def _dominance(found: Mapping[str, Responses]) -> dict[str, Dominance]:
    (_, base), *others = found.items()
    compared = {}
    for name, of in others:
        n = min(base.replicates, of.replicates)
        compared[name] = dominance(base.x, of.d[:n], base.d[:n])
    return compared


def _afterwards(found: Mapping[str, Responses]) -> list[str]:
    """What only shows when they have lived."""
    (first, base), *others = found.items()
    told = []
    for name, of in others:
        if of.x[-1] and abs(of.x[-1] / base.x[-1] - 1.0) > UNLIKE:
            told.append(
                f"At full strength the shocks took {of.x[-1]:.4g} firm-days from {name}, {base.x[-1]:.4g} from "
                f"{first}: compared is the same shock as it passes in each, not the same damage."
            )
    return told + [f"{name}: {remark}" for name, of in found.items() for remark in of.remarks]
