"""Drives a policy study: live what is listed, search, test on fresh futures, open the seal, judge, write it down."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim.errors import InputError
from ecosim.folders import safe_name
from ecosim.model import Ecosystem
from ecosim.resilience.held_out import HeldOut
from ecosim.resilience.pool import cores
from ecosim.study.folder import alone
from ecosim.study.policy import seal, tables
from ecosim.study.policy.front import best, count_all, everything, generations, hypervolume, need_pymoo, settled
from ecosim.study.policy.futures import draw
from ecosim.study.policy.futures import table as futures_table
from ecosim.study.policy.measures import LeastCost, cheapest, difference, effect, least_cost, quantile
from ecosim.study.policy.packages import Package, listed, nothing, once, package, policies, single
from ecosim.study.policy.reading import faults, load, made
from ecosim.study.policy.results import Found
from ecosim.study.policy.spec import PolicySpec
from ecosim.study.policy.stage import Lived
from ecosim.study.policy.verdicts import judge
from ecosim.study.progress import duration
from ecosim.study.sweeping import DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from ecosim.study.policy.futures import Purpose
    from ecosim.study.progress import Progress

    type Array = NDArray[np.float64]
    type Levels = tuple[int, ...]

LOCK = ".policy.lock"
ROOM = 1.1  # of the corner that the hypervolume is measured to, beyond the worst of what is listed


def policy(
    study: str | PathLike[str] | PolicySpec | Mapping[str, Any],
    *,
    out: str | PathLike[str] | None = None,
    workers: int | None = None,
    yes: bool = False,
    progress: Callable[[str, Progress], None] | None = None,
    told: Callable[[str], None] | None = None,
) -> Found:
    """Search policies (a YAML file, a `PolicySpec`, or its keys and values) and return what was found.

    Everything is kept in ``out`` (policies/NAME by default) as it is lived; the same call goes on where an earlier one
    was interrupted and ends with the same tables, whatever the number of ``workers``. ``progress(stage, progress)`` is
    called about twice a second, ``told(line)`` with what a reader should know as it goes. What will take more than a
    day is begun only with ``yes``.

    Raises InputError for a mistake in the study, for a folder that holds another one, and where every run fails.
    """
    spec = _spec(study)
    need_pymoo()  # before hours are spent on what it is to search
    place = Path(out) if out is not None else Path("policies") / safe_name(spec.name)
    say = told or (lambda line: None)
    _dare(spec, place, workers or cores(), say, yes=yes)
    place.mkdir(parents=True, exist_ok=True)
    with alone(place, LOCK):
        found = Search(spec, place.absolute(), workers or cores(), progress, say).found()
        found.write()
    return found


def _spec(study: str | PathLike[str] | PolicySpec | Mapping[str, Any]) -> PolicySpec:
    if isinstance(study, PolicySpec):
        wrong = faults(study)
        if wrong:
            raise InputError("; ".join(map(str, wrong)))
        return study
    return load(study) if isinstance(study, str | os.PathLike) else made(study)


# --- how long ---------------------------------------------------------------------------------------------------------


def runs(spec: PolicySpec) -> dict[str, int]:
    """Runs of each stage at most, by name."""
    kinds, many = len(spec.shocks), spec.replicates
    training, fresh = spec.futures * kinds * many, spec.tested * kinds * many
    sizes = [lever.most for lever in spec.levers.values()]
    named = listed(spec)
    possible = count_all(sizes)
    looked = {"none": 0, "all": possible - len(named), "nsga2": spec.search.population * spec.search.generations}
    beyond = min(looked[spec.search.algorithm], possible - len(named))
    finalists = min(spec.search.population + kinds + 2, possible)
    found = {
        "listed packages": len(named) * training,
        "search": max(beyond, 0) * training,
        "held-out futures": finalists * fresh,
        "sealed troubles": 2 * spec.tested * len(spec.sealed) * many,
    }
    if spec.verdict is not None:
        judged = {"chosen": 2, "front": finalists, "all": len(named) + 1}[spec.verdict.packages]
        found["verdicts"] = judged * kinds * spec.verdict.replicates * spec.verdict.intensities
    return {name: count for name, count in found.items() if count}


def _dare(spec: PolicySpec, place: Path, workers: int, say: Callable[[str], None], *, yes: bool) -> None:
    """Say how many runs there will be at most and how long they will take; refuse days that nobody agreed to."""
    counts = runs(spec)
    total = sum(counts.values())
    seconds = total * _seconds(spec) / workers
    parts = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    say(
        f"{spec.name}: at most {total:,} runs ({parts}), about {duration(seconds)} at most on {workers} "
        f"worker{'' if workers == 1 else 's'}, less what is there, in {place}"
    )
    if seconds > DAY and not yes:
        raise InputError(
            f"at most {total:,} runs will take about {seconds / 3600:,.0f} hours on {workers} workers; say that you "
            "mean it with --yes, or take fewer futures, generations, or firms"
        )


def _seconds(spec: PolicySpec) -> float:
    """Time of a run with every lever at its highest level, after a day that warms up."""
    shocks = next(iter(spec.shocks.values()))
    most = package(spec, [lever.most for lever in spec.levers.values()])
    world = spec.base.with_({"shocks": list(shocks), "policies": policies(spec, most, shocks)})
    first = Ecosystem(world)
    first.run_for(1)
    started = time.perf_counter()
    eco = Ecosystem(world, blueprint=first.world.plan)
    days = min(world.days, 20)
    eco.run_for(days)
    return (time.perf_counter() - started) * world.days / days


# --- the search -------------------------------------------------------------------------------------------------------


class Search:
    """One drive through a policy study; `ecosim.rerun.policy` retraces one with nothing but what is in its folder."""

    def __init__(
        self,
        spec: PolicySpec,
        place: Path,
        workers: int,
        progress: Callable[[str, Progress], None] | None,
        say: Callable[[str], None],
    ) -> None:
        self.spec, self.place, self.workers, self.progress, self.say = spec, place, workers, progress, say
        self.training = self.lived("training")
        self.packages = listed(spec)
        self.volumes: list[dict[str, Any]] = []

    def lived(self, purpose: Purpose) -> Lived:
        """What lives packages in the futures of a purpose."""
        return Lived(self.spec, draw(self.spec, purpose), self.place, self.workers, self.progress)

    def judged(self, packages: Sequence[Package]) -> pd.DataFrame:
        """Verdicts on packages."""
        self.say(f"verdicts: packages {', '.join(each.name for each in packages)}; {', '.join(self.spec.shocks)}")
        return judge(self.spec, packages, self.place, self.workers)

    def opened(self, chosen: Package) -> list[seal.Opening]:
        """Note that the seal is opened for this choice, and return when it was opened for another one before."""
        record = self.spec._seal or self.place.with_name(f"{self.place.name}.sealed.json")
        earlier = seal.broken(record, self.spec, [chosen])
        if earlier:
            self.say(f"{record}: the seal was opened before for another choice; this is no final test any more")
        return earlier

    def found(self) -> Found:
        """Live everything and put it together."""
        spec, training = self.spec, self.training
        training.live("listed", self.packages)
        self._look()
        front = self._front()
        chosen = self._choose(np.ones(len(training.futures), dtype=bool))
        left_out = self._left_out()
        finalists = once([nothing(spec), chosen, *(one for one, on in zip(self.packages, front, strict=True) if on),
                          *left_out.values()])  # fmt: skip
        held_out = self.lived("held_out")
        held_out.live("held_out", finalists)
        verdicts = self._verdicts(chosen, front)
        sealed, earlier = self._sealed(chosen)
        tried = [each for each in listed(spec) if each.size]
        tested = [each for each in finalists if each.size]
        groups = [("training", training, tried), ("held_out", held_out, tested)]
        harmed = [("training", training, _strongest(spec)), ("held_out", held_out, [chosen] if chosen.size else [])]
        found = {
            "packages": tables.overview(spec, training, self.packages, front),
            "effects": tables.effects(spec, groups),
            "value": tables.value(spec, groups),
            "generations": pd.DataFrame(self.volumes),
            "held_out": tables.shrinkage(spec, training, held_out, finalists),
            "left_out": self._gaps(held_out, left_out),
            "winners": tables.winners([group for group in harmed if group[2]]),
            "verdicts": verdicts,
            "sealed": sealed,
            "futures": pd.concat(
                [futures_table(one.futures).assign(purpose=name) for name, one in
                 (("training", training), ("held_out", held_out))], ignore_index=True,
            ),
        }  # fmt: skip
        least = self._least()
        if least is not None:
            found["least_cost"] = pd.DataFrame([self._least_row(least)])
        dropped = {name: int((~one.whole()).sum()) for name, one in (("training", training), ("held_out", held_out))}
        return Found(spec, self.place, chosen, found, tuple(earlier), dropped)

    # --- looking for packages ---

    def _objectives(self, packages: Sequence[Package]) -> Array:
        """What the search makes small, (packages, objectives)."""
        whole = self.training.whole()
        if not whole.any():
            raise InputError(f"{self.place}: some run failed in every future; Study.load on runs/listed says why")
        cost, loss, failures = (
            self.training.figure(name, packages)[:, whole] for name in ("cost", self.spec.outcome, "failures")
        )
        values = {"cost": cost.mean(axis=1), "loss": self._statistic(loss), "failures": failures.mean(axis=1)}
        return np.column_stack([values[name] for name in self.spec.search.objectives])

    def _statistic(self, loss: Array) -> Array:
        return loss.mean(axis=1) if self.spec.search.statistic == "mean" else quantile(loss, self.spec.share)

    def _look(self) -> None:
        """Add to the packages what the search comes upon, and note how far each generation came."""
        spec, levers = self.spec, list(self.spec.levers.values())
        most = [lever.most for lever in levers]
        corner = ROOM * self._corner()
        if spec.search.algorithm != "none":
            self._note(0, corner)
        if spec.search.algorithm == "all":
            self._add("search", everything(most))
            self._note(1, corner)
        elif spec.search.algorithm == "nsga2":
            start = [each.levels for each in self.packages]

            def objectives(levels: Sequence[Levels]) -> Array:
                return self._objectives([package(spec, each) for each in levels])

            def excess(levels: Sequence[Levels]) -> Array:
                cost = self.training.figure("cost", [package(spec, each) for each in levels])
                return np.asarray(cost[:, self.training.whole()].mean(axis=1) - (spec.budget or np.inf))

            found = generations(most, spec.search, objectives, start, excess if spec.budget else None)
            for turn, levels in enumerate(found, 1):
                self._add(f"generation_{turn:03d}", levels)
                self._note(turn, corner)

    def _add(self, stage: str, levels: Sequence[Levels]) -> None:
        new = [package(self.spec, each) for each in levels]
        self.training.live(stage, new)
        self.packages = once([*self.packages, *new])

    def _corner(self) -> Array:
        """What is worse than anything worth having: all levers at their dearest, and the worst loss listed."""
        spec = self.spec
        seen = self._objectives(self.packages)
        corner = seen.max(axis=0)
        if "cost" in spec.search.objectives:
            costs = self._objectives(single(spec))[:, spec.search.objectives.index("cost")]
            each: dict[int, float] = {}
            for one, cost in zip(single(spec), costs, strict=True):
                lever = int(np.flatnonzero(one.levels)[0])
                each[lever] = max(each.get(lever, 0.0), float(cost))
            corner[spec.search.objectives.index("cost")] = spec.budget or max(sum(each.values()), 1e-9)
        return np.asarray(np.where(corner > 0, corner, 1e-9))

    def _note(self, turn: int, corner: Array) -> None:
        volume = hypervolume(self._objectives(self.packages), corner)
        self.volumes.append({"generation": turn, "packages": len(self.packages), "hypervolume": volume})
        if turn:
            self.say(f"generation {turn}: {len(self.packages):,} packages so far, hypervolume {volume:.4g}")

    def _front(self) -> NDArray[np.bool_]:
        """Which packages within the budget no other one beats; of those that do the same, the one of fewest levers."""
        cost = self.training.figure("cost", self.packages)[:, self.training.whole()]
        able = np.flatnonzero(tables.within_budget(self.spec, cost))
        values = self._objectives([self.packages[int(at)] for at in able])
        front = np.zeros(len(self.packages), dtype=bool)
        seen: set[tuple[float, ...]] = set()
        unbeaten = np.flatnonzero(best(values)).tolist()
        for at in sorted(unbeaten, key=lambda place: self.packages[int(able[place])].size):
            same = tuple(np.round(values[at], 9).tolist())
            front[able[at]] = same not in seen
            seen.add(same)
        converged = settled([row["hypervolume"] for row in self.volumes])
        for row in self.volumes:
            row["settled"] = converged
        return front

    # --- choosing ---

    def _choose(self, which: NDArray[np.bool_]) -> Package:
        """The cheapest package that meets the target in these futures; or else the one within the budget that loses
        least by the search's statistic, and of equals the cheapest."""
        spec = self.spec
        used = which & self.training.whole()
        loss = self.training.figure(spec.outcome, self.packages)[:, used]
        cost = self.training.figure("cost", self.packages)[:, used]
        able = np.flatnonzero(tables.within_budget(spec, cost))
        if spec.target is not None:
            at = cheapest(cost[able].mean(axis=1), loss[able] <= spec.target.loss, spec.share)
            if at is not None:
                return self.packages[int(able[at])]
        order = np.lexsort((cost[able].mean(axis=1), np.round(self._statistic(loss[able]), 9)))
        return self.packages[int(able[order[0]])]

    def _left_out(self) -> dict[str, Package]:
        """What would have been chosen without each kind of trouble, by kind."""
        types = self.training.types
        kinds = list(self.spec.shocks)
        return {kind: self._choose(types != kind) for kind in kinds} if len(kinds) > 1 else {}

    def _gaps(self, held_out: Lived, left_out: Mapping[str, Package]) -> pd.DataFrame:
        """What was chosen without a kind of trouble saves against those it knew and against that one, fresh futures."""
        rows = []
        types = held_out.types[held_out.whole()]
        for kind, each in left_out.items():
            gains = tables.saved(held_out, self.spec.outcome, [each])[0]
            seen, unseen = (effect(gains[these], types[these]) for these in (types != kind, types == kind))
            gap, low, high = difference(seen, unseen)
            row: dict[str, Any] = {"held_out": kind, "package": each.name}
            for name, one in (("trained", seen), ("unseen", unseen)):
                row |= {name: one.value / 100, f"{name}_low": one.low / 100, f"{name}_high": one.high / 100}
            rows.append(row | {"gap": gap / 100, "gap_low": low / 100, "gap_high": high / 100})
        return HeldOut(pd.DataFrame(rows), self.spec.tested).table

    def _least(self) -> LeastCost | None:
        spec, whole = self.spec, self.training.whole()
        if spec.target is None:
            return None
        cost = self.training.figure("cost", self.packages)[:, whole]
        able = np.flatnonzero(tables.within_budget(spec, cost))
        loss = self.training.figure(spec.outcome, self.packages)[able][:, whole]
        found = least_cost(cost[able], loss, self.training.types[whole], spec.target.loss, spec.share, spec.seed)
        place = None if found.package is None else int(able[found.package])
        return LeastCost(place, found.cost, found.low, found.high, found.none, found.again)

    def _least_row(self, least: LeastCost) -> dict[str, Any]:
        name = "" if least.package is None else self.packages[least.package].name
        return {
            "package": name,
            "cost": least.cost,
            "cost_low": least.low,
            "cost_high": least.high,
            "none_holds": least.none,
            "chosen_again": least.again,
        }

    # --- what comes at the end ---

    def _verdicts(self, chosen: Package, front: NDArray[np.bool_]) -> pd.DataFrame:
        if self.spec.verdict is None:
            return pd.DataFrame()
        wanted = {
            "chosen": [],
            "front": [one for one, on in zip(self.packages, front, strict=True) if on],
            "all": listed(self.spec),
        }[self.spec.verdict.packages]
        return self.judged(once([nothing(self.spec), chosen, *wanted]))

    def _sealed(self, chosen: Package) -> tuple[pd.DataFrame, list[seal.Opening]]:
        """Open what is sealed, once the choice is made, and note that it was opened."""
        spec = self.spec
        if not spec.sealed:
            return pd.DataFrame(), []
        earlier = self.opened(chosen)
        lived = self.lived("sealed")
        both = once([nothing(spec), chosen])
        lived.live("sealed", both)
        trained = {shock.kind for shocks in spec.shocks.values() for shock in shocks}
        used = {channel for shocks in spec.shocks.values() for shock in shocks for channel in shock.may_write()}
        types = lived.types[lived.whole()]
        gains = tables.saved(lived, spec.outcome, [chosen])[0]
        rows = []
        for kind, shocks in spec.sealed.items():
            one = effect(gains[types == kind], types[types == kind])
            row: dict[str, Any] = {"type": kind, "package": chosen.name, "saved": one.value}
            row |= {"low": one.low, "high": one.high, "n": one.n, "p": one.p}
            row["new_kind"] = all(shock.kind not in trained for shock in shocks)
            row["new_channel"] = all(not set(shock.may_write()) & used for shock in shocks)
            for name, each in (("none", nothing(spec)), ("chosen", chosen)):
                loss = lived.figure(spec.outcome, [each])[0, lived.whole()][types == kind]
                row[f"loss_{name}"] = float(loss.mean())
                if spec.target is not None:
                    row[f"held_{name}"] = float((loss <= spec.target.loss).mean())
            rows.append(row | {"opened_before": bool(earlier)})
        frame = pd.DataFrame(rows)
        frame["p_holm"] = tables.corrected(frame["p"], pd.Series(["sealed"] * len(frame)))
        frame = frame.rename(columns={"saved": "effect"})
        frame["claim"] = tables.claims(frame)
        return frame, earlier


def _strongest(spec: PolicySpec) -> list[Package]:
    """Each lever alone at its highest level, and the packages that the study names."""
    most = [lever.most for lever in spec.levers.values()]
    return [
        each
        for each in listed(spec)
        if each.size and (each.size > 1 or max(each.levels) == most[np.argmax(each.levels)])
    ]
