"""What a study is: a base scenario, factors, a design, replicates, outcomes, when to stop, and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from ecosim.config import Problem, Scenario, ScenarioError
from ecosim.errors import InputError
from ecosim.part import Part
from ecosim.study.design import MOST_POINTS, AnyDesign, Full, Table, codes_of
from ecosim.study.factors import Factor, Factors
from ecosim.study.outcomes import check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ecosim.study.factors import Codes

TRIED = "tried"  # in the context of a study whose values are known to be ones that its scenario takes
HELD = ("seed", "name")  # what a factor may not change: replicates are paired by the seed
CHECKED_VALUES = 200  # of a factor; of longer lists the extremes, and what raises in a run is recorded there


def with_set(scenario: Scenario, changes: Mapping[str, Any]) -> Scenario:
    """A scenario with what stands under ``set``, where the problems are placed."""
    try:
        return scenario.with_(changes) if changes else scenario
    except ScenarioError as error:
        raise ScenarioError(
            Problem(None, None, None, f"set.{item.path}", item.message, item.value) for item in error.problems
        ) from None


class Stop(Part):
    """Replicates are added to a point until the mean of an outcome is known well enough there.

    The rule looks at the first ``at_least`` replicates of a point, then at ``step`` more, and so on, in the order of
    their numbers, and stops where the half-width of Student's interval is at most ``half_width``; the study's
    ``replicates`` are the most. What it keeps does not depend on which run ended first.
    """

    outcome: str
    """Dotted path of the outcome."""
    half_width: float = Field(gt=0)
    """Half-width of the interval, in the outcome's unit."""
    confidence: float = Field(default=0.95, gt=0, lt=1)
    """Confidence of the interval."""
    at_least: int = Field(default=5, ge=2, strict=True)
    """Replicates before the rule looks for the first time."""
    step: int = Field(default=5, ge=1, strict=True)
    """Replicates between two looks."""


class Limits(Part):
    """What a run may take before it is ended and recorded as ``time`` or ``memory``."""

    seconds: float | None = Field(default=None, gt=0)
    """Wall-clock time of a run with its building."""
    memory_mb: float | None = Field(default=None, ge=1)
    """Memory of the process that lives it, in megabytes, with the libraries (about 300)."""


class Target(Part):
    """What was observed of an outcome, for ``ecosim calibrate``."""

    value: float
    """What was observed, in the outcome's unit."""
    sd: float = Field(gt=0)
    """Standard deviation of its error, and of what the scenario cannot be expected to show."""
    one_world: bool = True
    """Whether it was observed in one world, whose luck adds to the error, and not averaged over many."""


def a_scenario(value: object) -> object:
    """A name or a path stands for the scenario there."""
    if isinstance(value, str):
        from ecosim.found import load

        return load(value)
    return value


def _whole_list(value: object) -> object:
    return [value] if isinstance(value, str) and value not in {"all", "none"} else value


class StudySpec(Part):
    """A study, as written in a YAML file or made in Python. See docs/studies.md."""

    version: Literal[1] = 1
    """Version of this format."""
    name: str = Field(default="study", min_length=1, max_length=200)
    """What the study is called."""
    scenario: Annotated[Scenario, BeforeValidator(a_scenario)]
    """The base: a shipped scenario, a file, or a scenario written out."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Changes of the base by dotted path, as ``--set`` makes them."""
    factors: Factors = Field(default_factory=dict)
    """What is varied, by dotted path of the scenario."""
    design: AnyDesign = Field(default_factory=Full)
    """Which points are lived."""
    replicates: int = Field(default=1, ge=1, le=1_000_000, strict=True)
    """Runs of each point. Replicate r of all points has the same randomness, so that their differences are paired."""
    outcomes: tuple[str, ...] | None = None
    """Figures kept of each run; every figure of the summary by default."""
    series: Annotated[tuple[str, ...] | Literal["all", "none"], BeforeValidator(_whole_list)] = "all"
    """Daily series kept of each run."""
    stop: Stop | None = None
    """When a point has replicates enough."""
    limits: Limits = Field(default_factory=Limits)
    """Time and memory of a run."""
    targets: dict[str, Target] = Field(default_factory=dict)
    """What was observed, by outcome: ``ecosim calibrate`` fits the factors to it. A sweep passes over it."""
    waves: int = Field(default=3, ge=1, le=50, strict=True)
    """Waves of runs that a calibration makes at most."""

    _base: Scenario = PrivateAttr()
    _whole: tuple[bool, ...] = PrivateAttr()
    _codes: Any = PrivateAttr()
    _factors: dict[str, Factor] = PrivateAttr()

    @field_validator("outcomes")
    @classmethod
    def _paths(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for at, path in enumerate(value or ()):
            wrong = check(path)
            if wrong:
                raise ValueError(wrong)
            if path in (value or ())[:at]:
                raise ValueError(f"{path!r} stands there twice; drop one")
        return value

    @field_validator("targets")
    @classmethod
    def _outcomes(cls, value: dict[str, Target]) -> dict[str, Target]:
        for path in value:
            wrong = check(path)
            if wrong:
                raise ValueError(wrong)
        return value

    @field_validator("stop")
    @classmethod
    def _known_outcome(cls, value: Stop | None, info: ValidationInfo) -> Stop | None:
        if value is not None:
            wrong, kept = check(value.outcome), info.data.get("outcomes")
            if wrong:
                raise ValueError(f"outcome: {wrong}")
            if kept is not None and value.outcome not in kept:
                raise ValueError(f"outcome: {value.outcome!r} is not among the outcomes; add it there")
        return value

    @model_validator(mode="after")
    def _prepared(self, info: ValidationInfo) -> Self:
        """Make the base and the points, and try every value of every factor on the scenario."""
        context = info.context or {}
        self._base = with_set(self.scenario, self.set)
        if isinstance(self.design, Table):
            if any(not isinstance(factor.values, dict) for factor in self.factors.values()):
                _refuse("factors", "the design is a table, whose columns are the factors; name values, or drop one")
            try:
                self._factors, self._codes = codes_of(self.design.read(context.get("base_dir")), self.factors)
            except InputError as error:
                raise _at("design", error) from None
        elif not self.factors:
            _refuse("factors", "missing; give at least one, such as shocks.0.severity: {low: 0.2, high: 0.8}")
        else:
            self._factors = self.factors
        problems: list[Problem] = []
        tried = context.get(TRIED, False)  # by whoever made the points
        whole = [not tried and self._try(path, factor, problems) for path, factor in self._factors.items()]
        if problems:
            raise ScenarioError(problems)
        self._whole = tuple(whole)
        self._clash()
        if not isinstance(self.design, Table):
            self._codes = self._designed()
        return self

    def _designed(self) -> Codes:
        factors, whole = list(self._factors.values()), self._whole
        design: Any = self.design
        try:
            points = design.size(factors, whole)
            if points > MOST_POINTS:
                raise InputError(f"kind: {points:,} points; {MOST_POINTS:,} are the most; take fewer, or a sample")
            codes: Codes = design.codes(factors, whole)
        except InputError as error:
            raise _at("design", error) from None
        return codes

    def _clash(self) -> None:
        """Refuse a factor and an outcome of one name, which would be one column of the table."""
        both = [path for path in self.outcomes or () if path in self._factors]
        if both:
            _refuse("outcomes", f"{both[0]!r} is a factor, too; it stands in the table anyway")

    def _try(self, path: str, factor: Factor, problems: list[Problem]) -> bool:
        """Whether a range is of whole numbers; what the scenario refuses is added to the problems."""
        if path == "seed" and isinstance(self.design, Table):
            return False  # luck of its own for a point; points of equal seeds stay paired
        if path in HELD or not path:
            words = "replicates have seeds of their own; give replicates instead" if path == "seed" else "no factor"
            problems.append(Problem(None, None, None, f"factors.{path}", words))
            return False
        if factor.values is None:
            trials = [("low", factor.low), ("high", factor.high)]
        else:
            trials = [(f"values.{at}", value) for at, value in _some(factor)]
        messages = [(at, value, self._refused(path, value)) for at, value in trials]
        wrong = [(at, value, message) for at, value, message in messages if message]
        if len(wrong) == len(messages) and len({message for *_, message in wrong}) == 1:
            wrong = [("", None, wrong[0][2])]  # it is the path that is wrong, not what is put there
        # A table's columns have no lines of their own.
        above = f"design.{path}" if isinstance(self.design, Table) else f"factors.{path}"
        for at, value, message in wrong:
            place = above if not at or isinstance(self.design, Table) else f"{above}.{at}"
            problems.append(Problem(None, None, None, place, message, value))
        if wrong or factor.values is not None:
            return False
        ends = (factor.low, factor.high)
        between = (float(factor.low or 0) + float(factor.high or 0)) / 2 + 1e-3 / 3
        return all(isinstance(end, int) for end in ends) and bool(self._refused(path, between))

    def _refused(self, path: str, value: object) -> str:
        """What the scenario says against a value, alone and beside the first values of the other factors; or ''."""
        try:
            self._base.with_({path: value})
        except ScenarioError as error:
            alone = "; ".join(item.message for item in error.problems)
        else:
            return ""
        others = {name: _first(factor) for name, factor in self._factors.items() if name not in {path, *HELD}}
        try:
            self._base.with_({**others, path: value})
        except ScenarioError:
            return alone
        return ""

    @property
    def base(self) -> Scenario:
        """The scenario that factors change."""
        return self._base

    @property
    def varied(self) -> dict[str, Factor]:
        """The factors by path, of a table, too."""
        return self._factors

    @property
    def whole(self) -> tuple[bool, ...]:
        """Which factors are ranges of whole numbers."""
        return self._whole

    @property
    def codes(self) -> Codes:
        """Points of the design, shape (points, factors); see `Factor`."""
        return self._codes  # type: ignore[no-any-return]


def _first(factor: Factor) -> object:
    return factor.low if factor.values is None else factor.given[0]


def _some(factor: Factor) -> list[tuple[object, Any]]:
    """Values to try, with their places: all of a short list, the extremes of a long list of numbers."""
    named = isinstance(factor.values, dict)
    places: list[object] = list(factor.values) if named else list(range(len(factor.given)))  # type: ignore[arg-type]
    tried = list(zip(places, factor.given, strict=True))
    if len(tried) <= CHECKED_VALUES or not all(isinstance(value, int | float) for value in factor.given):
        return tried
    ordered = sorted(tried, key=lambda pair: pair[1])
    return [ordered[0], ordered[-1]]


def _refuse(path: str, message: str) -> None:
    raise ScenarioError([Problem(None, None, None, path, message)])


def _at(path: str, error: InputError) -> ScenarioError:
    """Place a complaint that starts with a key below ``path``."""
    key, _, words = str(error).partition(": ")
    return ScenarioError([Problem(None, None, None, f"{path}.{key}", words)])
