"""What a lesson is: a small economy, sliders, figures to look at, and steps with bets, reveals and questions."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, PrivateAttr, Tag, field_validator, model_validator

from ecosim.config import Problem, Scenario, ScenarioError
from ecosim.errors import hint
from ecosim.lesson import claims
from ecosim.part import Part
from ecosim.study.outcomes import check
from ecosim.study.spec import with_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MOST_POINTS = 500
MOST_CELLS = 4_000_000
"""Firms x days x points whose states a page carries: what 1.5 MB hold when compressed."""

type Value = bool | int | float | str
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=30)]
Words = Annotated[str, Field(min_length=1, max_length=4000)]
Short = Annotated[str, Field(min_length=1, max_length=200)]


def _alone(value: object) -> object:
    return [value] if isinstance(value, str) else value


AClaim = Annotated[str, Field(min_length=3, max_length=600)]
Claims = Annotated[tuple[AClaim, ...], BeforeValidator(_alone)]


def _number(word: str) -> int | float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return int(number) if number.is_integer() and "." not in word else number


class Lever(Part):
    """A slider (numbers) or a choice (words): what the pupil may change.

    ``values`` is a list, each put at ``path`` of the scenario; or a mapping from a word to such a value; or, without a
    ``path``, a mapping from a word to several changes by dotted path.
    """

    label: Short
    """What stands above it."""
    unit: str = Field(default="", max_length=40)
    """What is counted, such as days."""
    help: str = Field(default="", max_length=300)
    """A sentence below it."""
    path: str | None = None
    """Dotted path of the scenario."""
    values: tuple[Value, ...] | dict[str, Any] = Field(min_length=2, max_length=30)
    """What it can be set to."""
    start: Value | None = None
    """Where it stands at first; the first value by default."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if isinstance(self.values, dict):
            if self.path is None:
                for name, changes in self.values.items():
                    if not isinstance(changes, dict):
                        raise ValueError(f"values: {name!r} changes nothing; give path, or changes by dotted path")
        elif self.path is None:
            raise ValueError("path: missing; say where in the scenario the values go")
        elif len(set(self.values)) < len(self.values):
            raise ValueError("values: one stands there twice; drop it")
        elif len({isinstance(value, str) for value in self.values}) > 1:
            raise ValueError("values: numbers and words are mixed; give one or the other")
        if self.start is not None and self.start not in self.names:
            raise ValueError(f"start: {self.start!r} is not among the values; take one of {self.shown}")
        return self

    @property
    def names(self) -> tuple[Value, ...]:
        """What the values are called in claims and on the page."""
        if not isinstance(self.values, dict):
            return self.values
        numbers = [_number(key) for key in self.values]  # YAML takes every key for a word
        return tuple(self.values) if None in numbers else tuple(number for number in numbers if number is not None)

    @property
    def shown(self) -> str:
        """The names in a row."""
        return ", ".join(str(name) for name in self.names)

    @property
    def first(self) -> int:
        """Place of the value at which it starts."""
        return 0 if self.start is None else self.names.index(self.start)

    @property
    def slides(self) -> bool:
        """Whether it is a slider, and no choice between words."""
        return not any(isinstance(name, str | bool) for name in self.names)

    def changes(self, at: int) -> dict[str, Any]:
        """What the value at a place changes in the scenario, by dotted path."""
        value = (list(self.values.values()) if isinstance(self.values, dict) else self.values)[at]
        return dict(value) if isinstance(value, dict) and self.path is None else {str(self.path): value}


class Outcome(Part):
    """A figure of each run that the page shows."""

    label: Short
    """What it is, in a few words."""
    path: str
    """Dotted path in a run's summary, as in a study; or ``gain.best``, ``gain.worst``, ``gain.ahead``, ``gain.behind``,
    ``gain.town`` or ``gain.`` and a name: what businesses made more than without the shock, in %."""
    unit: str = Field(default="", max_length=40)
    """Unit, such as %."""
    digits: int = Field(default=1, ge=0, le=4, strict=True)
    """Digits behind the point."""
    help: str = Field(default="", max_length=300)
    """A sentence that says how it is measured."""
    good: Literal["low", "high", ""] = "low"
    """Whether less or more of it is better."""

    @field_validator("path")
    @classmethod
    def _path(cls, value: str) -> str:
        wrong = check(value)
        if wrong:
            raise ValueError(wrong)
        return value


class Step(Part):
    """What every step has. In ``text``, ``{loss(flood=0.8):.1f}`` stands for a figure of the runs."""

    title: Short
    """Heading."""
    text: str = Field(default="", max_length=4000)
    """Paragraphs (an empty line between two), lists (``- ``) and ``**bold**``."""
    claims: Claims = ()
    """What the text says, to be checked against the runs: ``loss(buffer=20) < loss(buffer=3)``."""

    @property
    def texts(self) -> Iterator[str]:
        """Every text of the step in which figures may stand."""
        yield self.text


class TextStep(Step):
    """Something to read."""

    kind: Literal["text"] = "text"
    text: Words


class Option(Part):
    """An answer to bet on."""

    label: Short
    """The answer."""
    when: AClaim
    """The claim that makes it right. Exactly one option of a bet may hold in the runs."""


class BetStep(Step):
    """A question to bet on before the numbers are shown."""

    kind: Literal["bet"] = "bet"
    name: Name
    """What a reveal calls it."""
    options: tuple[Option, ...] = Field(min_length=2, max_length=6)
    """Answers."""


class LookStep(Step):
    """A step with the world in it: network, chart and figures."""

    levers: tuple[str, ...] | None = None
    """Levers that can be moved here; all by default."""
    at: dict[str, Value] = Field(default_factory=dict)
    """Where levers stand at first, those that cannot be moved included."""
    outcomes: tuple[str, ...] | None = None
    """Figures that are shown; all by default."""
    along: str | None = None
    """Lever along which the first of these figures is drawn as a curve."""


class ExploreStep(LookStep):
    """The world with its sliders."""

    kind: Literal["explore"] = "explore"
    tasks: Annotated[tuple[Words, ...], BeforeValidator(_alone)] = ()
    """What to try."""


class RevealStep(LookStep):
    """What came of a bet, shown in the world that decides it."""

    kind: Literal["reveal"] = "reveal"
    bet: str
    """Name of the bet."""
    levers: tuple[str, ...] | None = ()
    text: Words


class QuestionStep(Step):
    """A question to talk about, without one right answer."""

    kind: Literal["question"] = "question"
    text: Words
    hint: str = Field(default="", max_length=2000)
    """What may be said, shown on demand."""

    @property
    def texts(self) -> Iterator[str]:
        yield self.text
        yield self.hint


def _kind(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return f"a {kind}"  # with a space in it, because pydantic mixes tags into the paths of its complaints


def _known_kind(value: Any) -> Any:
    kinds = ("text", "bet", "explore", "reveal", "question")
    if isinstance(value, dict) and value.get("kind") not in kinds:
        raise ValueError(f"kind: {value.get('kind')!r} is no kind of step; give one of {', '.join(kinds)}")
    return value


AnyStep = Annotated[
    Annotated[TextStep, Tag("a text")]
    | Annotated[BetStep, Tag("a bet")]
    | Annotated[ExploreStep, Tag("a explore")]
    | Annotated[RevealStep, Tag("a reveal")]
    | Annotated[QuestionStep, Tag("a question")],
    Discriminator(_kind),
    BeforeValidator(_known_kind),
]


def _scenario(value: object) -> object:
    """A name or a path stands for the scenario there."""
    if isinstance(value, str):
        from ecosim.found import load

        return load(value)
    return value


class Lesson(Part):
    """A lesson, as written in a YAML file. See docs/lessons.md."""

    version: Literal[1] = 1
    """Version of this format."""
    title: Short
    """What it is called; best a question."""
    summary: Words
    """Two sentences for the list of lessons."""
    goals: tuple[Short, ...] = Field(min_length=1, max_length=8)
    """What pupils can do afterwards."""
    minutes: int = Field(ge=5, le=240, strict=True)
    """Time in class."""
    age: Short
    """For whom."""
    level: Literal["first steps", "further", "challenge"] = "first steps"
    """How hard it is."""
    teacher: Words
    """Notes for the teacher: what happens, what to ask, what goes wrong, where the model is not the world."""
    scenario: Annotated[Scenario, BeforeValidator(_scenario)]
    """The world: a shipped scenario, a file, or one written out."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Changes of it by dotted path."""
    names: tuple[Short, ...] = ()
    """Names of the businesses, by row, where the scenario gives none."""
    replicates: int = Field(default=1, ge=1, le=200, strict=True)
    """Runs of each setting. Run r of all settings has the same luck, so that differences are paired."""
    shown: int = Field(default=1, ge=1, le=8, strict=True)
    """How many of the runs can be watched day by day."""
    levers: dict[Name, Lever] = Field(min_length=1, max_length=4)
    """What can be changed."""
    outcomes: dict[Name, Outcome] = Field(min_length=1, max_length=4)
    """What is measured."""
    steps: tuple[AnyStep, ...] = Field(min_length=1, max_length=30)
    """The way through the lesson."""

    _base: Scenario = PrivateAttr()

    @model_validator(mode="after")
    def _prepared(self) -> Self:
        """Try every value of every lever on the scenario, and every claim on the levers and outcomes."""
        self._base = with_set(self.scenario, self.set)
        problems = [*self._clashes(), *self._wrong_values(), *self._wrong_steps()]
        if not problems and self.points > MOST_POINTS:
            problems.append(_problem("levers", f"{self.points:,} settings in all; {MOST_POINTS} are the most"))
        if problems:
            raise ScenarioError(problems)
        return self

    def _clashes(self) -> Iterator[Problem]:
        if self.shown > self.replicates:
            yield _problem("shown", f"{self.shown} is more than the {self.replicates} replicates", self.shown)
        for name in self.outcomes:
            if name in self.levers or name in claims.FUNCTIONS:
                yield _problem(f"outcomes.{name}", "something else has this name already; choose another")

    def _wrong_values(self) -> Iterator[Problem]:
        for name, lever in self.levers.items():
            for at, value in enumerate(lever.names):
                try:
                    self._base.with_(lever.changes(at))
                except ScenarioError as error:
                    key = f".{value}" if isinstance(lever.values, dict) else f".{at}"
                    words = "; ".join(f"{item.path}: {item.message}" for item in error.problems)
                    yield _problem(f"levers.{name}.values{key}", words, value)

    def _wrong_steps(self) -> Iterator[Problem]:
        bets: set[str] = set()
        for at, step in enumerate(self.steps):
            where = f"steps.{at}"
            yield from self._wrong_words(where, step)
            if isinstance(step, LookStep):
                yield from self._wrong_look(where, step)
            if isinstance(step, BetStep):
                if step.name in bets:
                    yield _problem(f"{where}.name", f"{step.name!r} is another bet's name already", step.name)
                bets.add(step.name)
            if isinstance(step, RevealStep) and step.bet not in bets:
                words = f"no bet before this step is called {step.bet!r}"
                yield _problem(f"{where}.bet", f"{words}; {hint(step.bet, bets)}" if bets else words, step.bet)

    def _wrong_look(self, where: str, step: LookStep) -> Iterator[Problem]:
        for field, known in (("levers", self.levers), ("outcomes", self.outcomes)):
            for at, name in enumerate(getattr(step, field) or ()):
                if name not in known:
                    yield _problem(f"{where}.{field}.{at}", f"there is no {name!r}; {hint(name, known)}", name)
        if step.along is not None and step.along not in self.levers:
            yield _problem(f"{where}.along", f"there is no {step.along!r}; {hint(step.along, self.levers)}", step.along)
        yield from (_problem(f"{where}.at", words) for words in self.mistakes(step.at))

    def _wrong_words(self, where: str, step: AnyStep) -> Iterator[Problem]:
        told = [(f"{where}.claims.{at}", text, True) for at, text in enumerate(step.claims)]
        if isinstance(step, BetStep):
            told += [(f"{where}.options.{at}.when", option.when, True) for at, option in enumerate(step.options)]
        told += [(f"{where}.text", text, False) for words in step.texts for text in claims.figures(words)]
        for path, text, compares in told:
            try:
                claims.check(text, self, compares=compares)
            except ValueError as error:
                yield _problem(path, str(error), text)

    def mistakes(self, at: Mapping[str, Value]) -> Iterable[str]:
        """What is wrong with settings of levers by name."""
        for name, value in at.items():
            if name not in self.levers:
                yield f"there is no lever {name!r}; {hint(name, self.levers)}"
            elif value not in self.levers[name].names:
                yield f"{name}: {value!r} is not among its values, {self.levers[name].shown}"

    def digest(self) -> str:
        """SHA-256 over every value of the lesson and of its world: a page says with it what it was made from."""
        told = self.model_dump(mode="json", exclude={"scenario", "set"})
        return hashlib.sha256(json.dumps([self.base.digest(), told]).encode()).hexdigest()

    # --- the grid -----------------------------------------------------------------------------------------------

    @property
    def base(self) -> Scenario:
        """The scenario that levers change."""
        return self._base

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of values of the levers."""
        return tuple(len(lever.names) for lever in self.levers.values())

    @property
    def points(self) -> int:
        """Settings in all."""
        return math.prod(self.shape)

    def places(self) -> list[tuple[int, ...]]:
        """Every setting, as places of the levers' values; the last lever runs fastest."""
        return list(itertools.product(*(range(size) for size in self.shape)))

    def point(self, at: Mapping[str, Value]) -> int:
        """Number of a setting; levers that are not named stand where they start."""
        number = 0
        for name, lever in self.levers.items():
            place = lever.names.index(at[name]) if name in at else lever.first
            number = number * len(lever.names) + place
        return number

    def scenario_at(self, places: Iterable[int]) -> Scenario:
        """The world at a setting."""
        changes: dict[str, Any] = {}
        for lever, place in zip(self.levers.values(), places, strict=True):
            changes |= lever.changes(place)
        return self._base.with_(changes)


def _problem(path: str, message: str, value: object = None) -> Problem:
    return Problem(None, None, None, path, message, value)
