"""Which points of the space of factors are lived."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Discriminator, Field, SkipValidation

from ecosim.errors import InputError, hint
from ecosim.part import Part
from ecosim.study.factors import Factor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from ecosim.study.factors import Codes

MOST_POINTS = 10_000_000


class Design(Part, ABC):
    """A way to choose points; ``codes`` gives one row a point and one column a factor (see `Factor`)."""

    kind: str

    @abstractmethod
    def codes(self, factors: Sequence[Factor], whole: Sequence[bool]) -> Codes:
        """Points, shape (points, factors); ``whole`` says which ranges are of whole numbers."""

    @abstractmethod
    def size(self, factors: Sequence[Factor], whole: Sequence[bool]) -> int:
        """How many points there will be, at most; asked before they are made."""


def _spread(factors: Sequence[Factor], whole: Sequence[bool], unit: Codes) -> Codes:
    columns = [
        factor.spread(unit[:, at], whole=is_whole)
        for at, (factor, is_whole) in enumerate(zip(factors, whole, strict=True))
    ]
    return np.column_stack(columns)


def _grids(factors: Sequence[Factor], whole: Sequence[bool]) -> list[Codes]:
    return [factor.grid(whole=is_whole) for factor, is_whole in zip(factors, whole, strict=True)]


class Full(Design):
    """Every combination of the values, and of the levels of ranges; the last factor changes fastest."""

    kind: Literal["full"] = "full"

    def size(self, factors: Sequence[Factor], whole: Sequence[bool]) -> int:
        """Product of the numbers of values."""
        return math.prod(len(grid) for grid in _grids(factors, whole))

    def codes(self, factors: Sequence[Factor], whole: Sequence[bool]) -> Codes:
        """All combinations."""
        meshes = np.meshgrid(*_grids(factors, whole), indexing="ij")
        return np.column_stack([mesh.ravel() for mesh in meshes])


class OneAtATime(Design):
    """The base scenario first, then each value of each factor with all the others as in the base."""

    kind: Literal["one_at_a_time"] = "one_at_a_time"

    def size(self, factors: Sequence[Factor], whole: Sequence[bool]) -> int:
        """One, and the sum of the numbers of values."""
        return 1 + sum(len(grid) for grid in _grids(factors, whole))

    def codes(self, factors: Sequence[Factor], whole: Sequence[bool]) -> Codes:
        """The base, and one change at a time."""
        grids = _grids(factors, whole)
        points = np.full((1 + sum(map(len, grids)), len(factors)), np.nan)
        row = 1
        for at, grid in enumerate(grids):
            points[row : row + len(grid), at] = grid
            row += len(grid)
        return points


class _Sampled(Design):
    points: int = Field(default=64, ge=1, strict=True)
    """How many points, or base points of the scheme."""
    seed: int = Field(default=1, ge=0, lt=2**32, strict=True)
    """Start of the random numbers that place the points; the seed of the runs is the scenario's."""

    def size(self, factors: Sequence[Factor], whole: Sequence[bool]) -> int:
        """Number of points."""
        return self.points


class LatinHypercube(_Sampled):
    """Points that fill the space evenly in every factor (McKay, Beckman & Conover 1979)."""

    kind: Literal["latin_hypercube"] = "latin_hypercube"

    def codes(self, factors: Sequence[Factor], whole: Sequence[bool]) -> Codes:
        """One point in each of ``points`` equal slices of every factor."""
        from scipy.stats import qmc

        rng = np.random.Generator(np.random.Philox(self.seed))
        return _spread(factors, whole, qmc.LatinHypercube(d=len(factors), rng=rng).random(self.points))


class Sobol(_Sampled):
    """Saltelli's scheme on Sobol' points, from which first-order and total indices follow (Saltelli et al. 2010)."""

    kind: Literal["sobol"] = "sobol"
    second_order: bool = False
    """Whether pairs of factors are looked at, too: 2k + 2 runs a base point for k factors, otherwise k + 2."""

    def size(self, factors: Sequence[Factor], whole: Sequence[bool]) -> int:
        """Base points times the runs each takes."""
        return self.points * ((2 if self.second_order else 1) * len(factors) + 2)

    def codes(self, factors: Sequence[Factor], whole: Sequence[bool]) -> Codes:
        """The scheme's points, in the order that its analysis expects."""
        if self.points & (self.points - 1):
            below = 1 << (self.points.bit_length() - 1)
            raise InputError(f"points: {self.points} is not a power of two; take {below} or {2 * below}")
        sample = _salib("sobol")
        unit = sample(_problem(factors), self.points, calc_second_order=self.second_order, seed=self.seed)
        return _spread(factors, whole, np.asarray(unit))


class Morris(_Sampled):
    """Paths through a grid that change one factor at a time, to tell which matter at all (Morris 1991)."""

    kind: Literal["morris"] = "morris"
    points: int = Field(default=10, ge=1, strict=True)
    """How many paths."""
    levels: int = Field(default=4, ge=2, le=1000, strict=True)
    """Levels of the grid; an even number."""

    def size(self, factors: Sequence[Factor], whole: Sequence[bool]) -> int:
        """Paths times their points."""
        return self.points * (len(factors) + 1)

    def codes(self, factors: Sequence[Factor], whole: Sequence[bool]) -> Codes:
        """The points of all paths, path by path."""
        if self.levels % 2:
            raise InputError(f"levels: {self.levels} is odd; the steps of this design need an even number")
        unit = _salib("morris")(_problem(factors), self.points, num_levels=self.levels, seed=self.seed)
        return _spread(factors, whole, np.asarray(unit))


class Table(Part):
    """Points of your own, one a row: from a CSV file, or a data frame; the columns are the factors.

    An empty cell leaves the base scenario's value.
    """

    kind: Literal["table"] = "table"
    file: Path | None = None
    """CSV file whose first line names the factors, relative to the study's file."""
    frame: SkipValidation[Any] = Field(default=None, exclude=True)
    """Data frame instead of a file."""

    def read(self, base_dir: str | None) -> pd.DataFrame:
        """Return the points as a data frame, in the order given."""
        import pandas as pd

        if (self.file is None) == (self.frame is None):
            raise InputError("file: give a CSV file, or in Python a frame")
        if self.frame is not None:
            return pd.DataFrame(self.frame).reset_index(drop=True)
        path = Path(base_dir or ".") / str(self.file)
        try:
            return pd.read_csv(path)
        except FileNotFoundError:
            raise InputError(f"file: {path}: no such file") from None
        except (OSError, ValueError) as error:
            raise InputError(f"file: {path}: cannot be read as CSV ({' '.join(str(error).split())})") from None


def codes_of(frame: pd.DataFrame, named: Mapping[str, Factor] | None = None) -> tuple[dict[str, Factor], Codes]:
    """Factors and points of a table: each column is the list of the values that stand in it.

    The cells of a column in ``named`` are names of that factor's values.
    """
    if frame.empty or not len(frame.columns):
        raise InputError("file: the table has no points; give a line with the factors' paths, then a line a point")
    names = [str(name).strip() for name in frame.columns]
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise InputError(f"file: column {twice!r} stands there twice; drop one")
    factors, columns = {}, []
    for name, column in zip(names, frame.columns, strict=True):
        present = frame[column].dropna()
        values = list(dict.fromkeys(_plain(value) for value in present))
        if not values:
            raise InputError(f"file: column {name!r} is empty; drop it")
        given = (named or {}).get(name)
        factors[name] = given or Factor(values=tuple(values))
        places = {value: at for at, value in enumerate(given.names if given else values)}
        unknown = next((value for value in values if value not in places), None)
        if unknown is not None:
            raise InputError(
                f"file: column {name!r}: {unknown!r} is none of the factor's; {hint(str(unknown), places)}"
            )
        codes = np.full(len(frame), np.nan)
        codes[present.index] = [places[_plain(value)] for value in present]
        columns.append(codes)
    missing = next((name for name in named or {} if name not in factors), None)
    if missing is not None:
        raise InputError(f"file: no column {missing!r}, though it is among the factors; add it, or drop the factor")
    return factors, np.column_stack(columns)


def _plain(value: Any) -> Any:
    """A cell as text in YAML would be: a number, true or false, or text; 3.0 in a column with gaps is 3."""
    plain = value.item() if hasattr(value, "item") else value
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain


def _problem(factors: Sequence[Factor]) -> Mapping[str, Any]:
    """SALib's description of the unit cube; copied for each use because some of its methods change it."""
    count = len(factors)
    return deepcopy({"num_vars": count, "names": [f"x{at}" for at in range(count)], "bounds": [[0.0, 1.0]] * count})


def _salib(method: str) -> Any:
    """Sampling function of a method of SALib."""
    from importlib import import_module

    try:
        return import_module(f"SALib.sample.{method}").sample
    except ImportError:
        raise InputError(f"kind: {method} needs SALib; install it with: pip install 'ecosim[analysis]'") from None


def _named(value: object) -> object:
    """The name of a design stands for the design with all its defaults; a data frame for a table."""
    if hasattr(value, "columns"):
        return {"kind": "table", "frame": value}
    given = {"kind": value} if isinstance(value, str) else value
    if isinstance(given, dict) and given.get("kind") not in KINDS:
        said = f"{given['kind']!r} is no design" if "kind" in given else "missing"
        raise ValueError(f"kind: {said}; {hint(str(given.get('kind')), KINDS)}")
    return given


KINDS = ("full", "one_at_a_time", "latin_hypercube", "sobol", "morris", "table")
AnyDesign = Annotated[
    Annotated[Full | OneAtATime | LatinHypercube | Sobol | Morris | Table, Discriminator("kind")],
    BeforeValidator(_named),
]
