"""The Pareto front of cost and loss: NSGA-II of pymoo over levels of levers, and how far it has converged."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from ecosim.study.policy.spec import Search

    type Array = NDArray[np.float64]
    type Levels = tuple[int, ...]

MOST_ALL = 100_000  # packages that "all" lives at most
FEWEST_TO_SETTLE = 6  # generations from which it is said whether the search has come to rest
SETTLED = 0.01  # share of the hypervolume that the last third of generations may add for it to count as converged


def best(objectives: ArrayLike) -> NDArray[np.bool_]:
    """Which rows, (packages, objectives), no other row beats: none is as small everywhere and smaller somewhere."""
    given = np.asarray(objectives, dtype=np.float64)
    no_larger = (given[:, None] <= given[None]).all(axis=2)
    smaller = (given[:, None] < given[None]).any(axis=2)
    return np.asarray(~(no_larger & smaller).any(axis=0))


def hypervolume(objectives: ArrayLike, corner: ArrayLike) -> float:
    """Volume between the front and a ``corner`` worse than it in everything (Zitzler & Thiele 1999), by pymoo."""
    need_pymoo()
    from pymoo.indicators.hv import HV

    given, reference = np.asarray(objectives, dtype=np.float64), np.asarray(corner, dtype=np.float64)
    inside = given[(given < reference).all(axis=1)]
    return float(HV(ref_point=reference)(inside)) if len(inside) else 0.0


def settled(volumes: Sequence[float]) -> bool:
    """Whether the last third of generations added less than 1 % of the hypervolume, whose first is before them all."""
    if len(volumes) <= FEWEST_TO_SETTLE or volumes[-1] <= 0:
        return False
    before = volumes[-1 - math.ceil(len(volumes) / 3)]
    return (volumes[-1] - before) / volumes[-1] < SETTLED


def count_all(most: Sequence[int]) -> int:
    """How many packages there are of levers with so many levels each, off included."""
    return math.prod(level + 1 for level in most)


def everything(most: Sequence[int]) -> list[Levels]:
    """All of them. Raises InputError where they are too many to live."""
    if count_all(most) > MOST_ALL:
        raise InputError(
            f"search.algorithm: all would be {count_all(most):,} packages, {MOST_ALL:,} are the most; take nsga2"
        )
    return list(itertools.product(*(range(level + 1) for level in most)))


def generations(
    most: Sequence[int],
    search: Search,
    objectives: Callable[[Sequence[Levels]], Array],
    start: Sequence[Levels],
    excess: Callable[[Sequence[Levels]], Array] | None = None,
) -> Iterator[list[Levels]]:
    """Packages of each generation of NSGA-II (Deb et al. 2002), in order; the first has those to ``start`` from in it.

    ``objectives`` gives what is made small, (packages, objectives), and ``excess`` by how much a package is over its
    budget, (packages,). Which packages come depends on these and on the seed only.
    """
    need_pymoo()
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.evaluator import Evaluator
    from pymoo.core.population import Population
    from pymoo.core.problem import Problem
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.operators.sampling.rnd import IntegerRandomSampling
    from pymoo.problems.static import StaticProblem

    problem = Problem(
        n_var=len(most),
        n_obj=len(search.objectives),
        n_ieq_constr=int(excess is not None),
        xl=np.zeros(len(most), dtype=int),
        xu=np.asarray(most, dtype=int),
        vtype=int,
    )
    drawn = IntegerRandomSampling()(
        problem, search.population, random_state=np.random.Generator(np.random.Philox(search.seed))
    ).get("X")
    first = np.unique(
        np.vstack([np.asarray(start, dtype=int).reshape(-1, len(most))[: search.population], drawn]), axis=0
    )
    algorithm = NSGA2(
        pop_size=search.population,
        sampling=Population.new("X", first),
        crossover=SBX(prob=0.9, eta=3.0, vtype=float, repair=RoundingRepair()),
        mutation=PM(prob=0.9, prob_var=min(1.0, 1.5 / len(most)), eta=3.0, vtype=float, repair=RoundingRepair()),
        eliminate_duplicates=True,
    )
    algorithm.setup(problem, termination=("n_gen", search.generations), seed=search.seed, verbose=False)
    while algorithm.has_next():
        asked = algorithm.ask()
        if asked is None or not len(asked):
            return
        levels: list[Levels] = [tuple(row) for row in np.asarray(asked.get("X"), dtype=int).tolist()]
        yield levels
        values: dict[str, Any] = {"F": objectives(levels)}
        if excess is not None:
            values["G"] = excess(levels)[:, None]
        Evaluator().eval(StaticProblem(problem, **values), asked)
        algorithm.tell(infills=asked)


def need_pymoo() -> None:
    """Raise InputError where the optimiser is missing."""
    try:
        import pymoo  # noqa: F401
    except ImportError:
        raise InputError("search: pymoo is missing; install it with: pip install 'ecosim[analysis]'") from None
