"""What a policy study is: levers, uncertainties, kinds of trouble, what to reach and what it may cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ecosim.config import Problem, Scenario, ScenarioError
from ecosim.config.kinds import chosen
from ecosim.errors import InputError
from ecosim.found import load
from ecosim.part import Part
from ecosim.study.factors import Factors
from ecosim.study.reading import inner_problems
from ecosim.study.spec import Limits, StudySpec, a_scenario, with_set

if TYPE_CHECKING:
    from ecosim.policies.policy import Policy as APolicy
    from ecosim.shocks.shock import Shock

    type Shocks = tuple[Shock, ...]
else:
    APolicy = chosen("policies")
    Shocks = tuple[chosen("shocks"), ...]

QUICK_DAYS = 45
NOT_UNCERTAIN = {
    "seed": "every future has a seed of its own; drop it",
    "name": "it changes nothing; drop it",
    "days": "losses over unlike horizons cannot be compared; drop it",
    "policies": "policies are levers; give it there as a level",
}


def _alone(value: object) -> object:
    """A policy alone is a lever that is on or off."""
    return {"policy": value} if isinstance(value, str) or (isinstance(value, dict) and "kind" in value) else value


class Lever(Part):
    """A policy that may be used, at one of several levels."""

    policy: APolicy
    """The policy, as a scenario lists it; it is named like the lever."""
    levels: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    """Values of its fields by dotted path, level by level: level k takes the k-th of each list. Level 0 is off."""

    _made: tuple[Part, ...] = PrivateAttr()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        counts = {len(values) for values in self.levels.values()}
        if len(counts) > 1:
            raise ValueError("levels: lists of unlike length; give each field a value for every level")
        if counts == {0}:
            raise ValueError("levels: empty; give at least one value, or drop it")
        bare = Scenario(policies=(self.policy,))
        made = []
        for at in range(max(counts, default=1)):
            try:
                changed = bare.with_({f"policies.0.{path}": values[at] for path, values in self.levels.items()})
            except ScenarioError as error:
                said = error.problems[0]
                raise ValueError(f"levels.{said.path.removeprefix('policies.0.')}: {said.message}") from None
            made.append(changed.policies[0])
        self._made = tuple(made)
        return self

    @property
    def most(self) -> int:
        """Its highest level."""
        return len(self._made)

    def at(self, level: int) -> Any:
        """The policy at a level from 1."""
        return self._made[level - 1]


def _shocks(value: object, info: ValidationInfo) -> object:
    """The name or file of a scenario stands for its shocks."""
    if not isinstance(value, str):
        return value
    base_dir = (info.context or {}).get("base_dir")
    beside = Path(base_dir or ".") / value
    try:
        shocks = load(beside if beside.is_file() else value).shocks
    except InputError as error:
        raise ValueError(str(error)) from None
    if not shocks:
        raise ValueError(f"{value}: a scenario without shocks; name one with some, or list shocks")
    return shocks


Trouble = Annotated[Shocks, BeforeValidator(_shocks), Field(min_length=1)]


class Goal(Part):
    """What is to be reached: a loss that must not be exceeded in most futures."""

    loss: float = Field(gt=-100, lt=100)
    """Most that may be lost, per cent of the undisturbed twin."""
    share: float = Field(default=0.95, gt=0, lt=1)
    """Share of futures in which it must hold."""


class Search(Part):
    """How packages are looked for beyond those that are listed."""

    algorithm: Literal["nsga2", "all", "none"] = "nsga2"
    """nsga2 (Deb et al. 2002), all combinations of all levels, or only what is listed."""
    population: int = Field(default=16, ge=4, le=10_000, strict=True)
    """Packages of a generation."""
    generations: int = Field(default=8, ge=1, le=10_000, strict=True)
    """Generations."""
    seed: int = Field(default=1, ge=0, lt=2**32, strict=True)
    """Start of the optimiser's random numbers."""
    objectives: tuple[Literal["cost", "loss", "failures"], ...] = ("cost", "loss")
    """What is made small: mean cost, loss (see ``statistic``), mean share of firms that fail."""
    statistic: Literal["mean", "quantile"] = "quantile"
    """Which loss: the mean over futures, or the quantile that the target's share names (95 % without a target)."""

    @field_validator("objectives")
    @classmethod
    def _two(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) < 2 or len(set(value)) < len(value):
            raise ValueError("give at least two different ones, such as [cost, loss]")
        return value


class Verdicts(Part):
    """How the response of the chosen package to growing shocks is judged (docs/verdict.md)."""

    replicates: int = Field(default=90, ge=2, le=1_000_000, strict=True)
    """Replicates at every intensity; below 86 nothing but FRAGILE can be shown, and more where several are judged."""
    intensities: int = Field(default=5, ge=5, le=101, strict=True)
    """Steps from none to full strength, an odd number."""
    packages: Literal["chosen", "front", "all"] = "chosen"
    """Which packages are judged beside doing nothing."""

    @field_validator("intensities")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"{value} is even; give an odd number, so that one stands in the middle")
        return value


class PolicySpec(Part):
    """A policy study, as written in a YAML file or made in Python. See docs/policy_search.md."""

    version: Literal[1] = 1
    """Version of this format."""
    name: str = Field(default="policy", min_length=1, max_length=200)
    """What the study is called."""
    scenario: Annotated[Scenario, BeforeValidator(a_scenario)]
    """The base: a shipped scenario, a file, or a scenario written out. Its shocks and policies are left out."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Changes of the base by dotted path, as ``--set`` makes them."""
    levers: dict[str, Annotated[Lever, BeforeValidator(_alone)]] = Field(min_length=1)
    """What may be done, by name."""
    packages: dict[str, dict[str, int]] = Field(default_factory=dict)
    """Combinations to look at in any case, by name: the level of each lever that is on."""
    uncertainties: Factors = Field(default_factory=dict)
    """What is not known, by dotted path of the scenario (``shocks.NAME.severity`` for a shock of that name)."""
    futures: int = Field(default=24, ge=2, le=100_000, strict=True)
    """Futures of each kind of trouble."""
    held_out: int | None = Field(default=None, ge=2, le=100_000, strict=True)
    """Fresh futures of each kind on which what was found is tested; as many as ``futures`` by default."""
    shocks: dict[str, Trouble] = Field(min_length=1)
    """Kinds of trouble by name: a list of shocks, or a scenario whose shocks are meant. Each is as likely as any."""
    sealed: dict[str, Trouble] = Field(default_factory=dict)
    """Kinds of trouble opened once, at the end, when the choice is made."""
    replicates: int = Field(default=1, ge=1, le=100_000, strict=True)
    """Runs of each future; with more than one, its loss is their mean."""
    outcome: Literal["consumption", "production"] = "consumption"
    """Whose loss counts: what customers get, or what firms make."""
    target: Goal | None = None
    """What is to be reached."""
    budget: float | None = Field(default=None, gt=0, le=1e6)
    """Most that a package may cost in the mean of futures, days of the whole economy's usual output."""
    search: Search = Search()
    """How packages are looked for."""
    verdict: Verdicts | None = Verdicts()
    """How the chosen package is judged; null for not."""
    limits: Limits = Limits()
    """Time and memory of a run."""
    seed: int = Field(default=1, ge=0, lt=2**32, strict=True)
    """Start of the random numbers that draw futures and resample them."""

    _base: Scenario = PrivateAttr()
    _whole: dict[str, bool] = PrivateAttr()
    _seal: Path | None = PrivateAttr(default=None)
    _corner: bool = PrivateAttr(default=False)

    @model_validator(mode="after")
    def _prepared(self, info: ValidationInfo) -> Self:
        problems: list[Problem] = []
        self._base = with_set(self.scenario, self.set).with_({"shocks": [], "policies": []})
        self._seal = (info.context or {}).get("seal")
        self._check_names(problems)
        self._check_packages(problems)
        self._whole = {path: self._try(path, problems) for path in self.uncertainties}
        if problems:
            raise ScenarioError(problems)
        return self

    def _check_names(self, problems: list[Problem]) -> None:
        for name in self.levers:
            if not name or not name.replace("_", "").replace("-", "").isalnum():
                problems.append(_at(f"levers.{name}", "give a name of letters, digits, - and _"))
        for name, sealed in self.sealed.items():
            same_as = next((kind for kind, shocks in self.shocks.items() if _alike(sealed, shocks)), None)
            if name in self.shocks:
                problems.append(_at(f"sealed.{name}", "stands among the shocks, too; what is sealed must be new"))
            elif same_as is not None:
                words = f"the same as shocks.{same_as} but for its name; what is sealed must be new"
                problems.append(_at(f"sealed.{name}", words))
        for where, kinds in (("shocks", self.shocks), ("sealed", self.sealed)):
            for name, shocks in kinds.items():
                labels = [shock.label for shock in shocks]
                twice = next((label for at, label in enumerate(labels) if label in labels[:at]), None)
                if twice is not None:
                    problems.append(_at(f"{where}.{name}", f"two are called {twice!r}; give them different names"))
                same = next((label for label in labels if label in self.levers), None)
                if same is not None:
                    problems.append(_at(f"{where}.{name}", f"{same!r} is a lever, too; give one of them another name"))
        if self.sealed and "none" in self.levers:
            problems.append(_at("levers.none", "means doing nothing; give another name"))

    def _check_packages(self, problems: list[Problem]) -> None:
        for name, levels in self.packages.items():
            if name == "none" or not levels:
                problems.append(_at(f"packages.{name}", "doing nothing is looked at anyway; drop it"))
            for lever, level in levels.items():
                if lever not in self.levers:
                    known = ", ".join(self.levers)
                    problems.append(_at(f"packages.{name}.{lever}", f"no lever is called so; there are {known}"))
                elif not 0 <= level <= self.levers[lever].most:
                    words = f"{level} is no level of {lever}; give one from 0 to {self.levers[lever].most}"
                    problems.append(_at(f"packages.{name}.{lever}", words, level))

    def _try(self, path: str, problems: list[Problem]) -> bool:
        """Whether a range is of whole numbers, as studies find out; what the scenario refuses is a problem."""
        refused = NOT_UNCERTAIN.get(path.split(".", maxsplit=1)[0])
        if refused:
            problems.append(_at(f"uncertainties.{path}", refused))
            return False
        struck = [shocks for shocks in (*self.shocks.values(), *self.sealed.values()) if applies(path, shocks)]
        if path.split(".", maxsplit=1)[0] == "shocks" and not struck:
            names = sorted({shock.label for shocks in self.shocks.values() for shock in shocks})
            problems.append(_at(f"uncertainties.{path}", f"no shock is called so; there are {', '.join(names)}"))
            return False
        whole = True
        for shocks in struck or [()]:
            trial = {
                "scenario": self._base.with_({"shocks": list(shocks)}),
                "factors": {path: self.uncertainties[path]},
                "design": "one_at_a_time",
            }
            try:
                whole = StudySpec.model_validate(trial).whole[0] and whole
            except ValidationError as error:
                problems += [
                    _at(f"uncertainties.{item.path.removeprefix('factors.')}", item.message, item.value)
                    for item in inner_problems(error)
                ]
        return whole

    @property
    def base(self) -> Scenario:
        """The scenario without shocks and policies."""
        return self._base

    @property
    def whole(self) -> dict[str, bool]:
        """Which uncertainties are ranges of whole numbers, by path."""
        return self._whole

    @property
    def share(self) -> float:
        """Share of futures in which a target must hold, and quantile of loss that is made small."""
        return 0.95 if self.target is None else self.target.share

    @property
    def tested(self) -> int:
        """Held-out futures of each kind of trouble."""
        return self.futures if self.held_out is None else self.held_out

    def quick(self) -> Self:
        """A corner of it that shows how in seconds, and says nothing."""
        struck = [
            getattr(shock, "when", 0) for shocks in (*self.shocks.values(), *self.sealed.values()) for shock in shocks
        ]
        last = max((day for day in struck if isinstance(day, int)), default=0)
        days = min(self.base.days, max(QUICK_DAYS, last + QUICK_DAYS // 2))
        small = {"economy.firms": min(60, getattr(self.base.economy, "firms", 60)), "days": days}
        values: dict[str, Any] = {name: getattr(self, name) for name in type(self).model_fields}
        values |= {
            "name": f"{self.name}_quick",
            "scenario": self.base.with_(small),
            "set": {},
            "futures": 2,
            "held_out": 2,
            "replicates": 1,
            "search": self.search.model_copy(update={"population": 4, "generations": 2}),
            "verdict": None if self.verdict is None else self.verdict.model_copy(update={"replicates": 2}),
        }
        made = type(self).model_validate(values)
        made._seal, made._corner = None, True
        return made

    @property
    def is_corner(self) -> bool:
        """Whether this is the quick form of a study, which says nothing."""
        return self._corner


def applies(path: str, shocks: Any) -> bool:
    """Whether an uncertainty below ``shocks`` is of one of these, called by name, kind or number."""
    steps = path.split(".")
    if steps[0] != "shocks" or len(steps) < 2:
        return False
    names = [name for shock in shocks for name in {shock.label, shock.kind}]
    return names.count(steps[1]) == 1 or (steps[1].isdecimal() and int(steps[1]) < len(shocks))


def _alike(one: Any, other: Any) -> bool:
    """Whether two lists of shocks differ in nothing but names."""
    told = [[(shock.kind, shock.model_dump(mode="json", exclude={"name"})) for shock in each] for each in (one, other)]
    return bool(told[0] == told[1])


def _at(path: str, message: str, value: object = None) -> Problem:
    return Problem(None, None, None, path, message, value)
