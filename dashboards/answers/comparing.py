"""Two to four worlds under the same shock and the same randomness: what is asked, and what came of it.

Worlds are those of the atlas, so that both pages say the same of the same cell. Without policies all replicates are
lived as blocks of one economy, as the atlas does it; with them each is lived by itself, twenty times as slowly, because
a policy looks at its whole economy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from ecosim.errors import InputError
from ecosim.resilience.atlas_spec import AtlasSpec, load

from ..words import signed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from ecosim.config import Scenario
    from ecosim.resilience.pairwise import Dominance
    from ecosim.resilience.responses import Responses
    from ecosim.resilience.verdicts import Verdict

MOST = 4
"""Worlds side by side: more cannot be told apart in one figure."""
REPLICATES = (24, 60, 120, 240)
INTENSITIES = 9
MEASURES = {"consumption": "what customers got", "production": "everything made"}
#: What is done about it from the moment the shock strikes, and which mechanism firms need for it to mean anything. The
#: undisturbed twin has no policy, so one that acted before the shock would be taken for an effect of the shock.
POLICIES: dict[str, tuple[str, dict[str, Any] | None, str]] = {
    "none": ("no policy", None, ""),
    "systemic_protection": (
        "standby power for ten hubs", {"kind": "systemic_protection", "who": {"top": 10, "by": "clients"}}, "",
    ),
    "strategic_stock": ("stocks subsidised", {"kind": "strategic_stock"}, ""),
    "supplier_matching": ("platform that finds suppliers", {"kind": "supplier_matching"}, "sourcing"),
    "diversification_subsidy": ("second suppliers subsidised", {"kind": "diversification_subsidy"}, "sourcing"),
}  # fmt: skip
EFFECTS = {
    "G": "mean response, all strengths",
    "d": "response at full strength",
    "e": "at the end of the run",
    "depth": "largest drop on a day",
    "days_to_recover": "days to recover",
    "firms_failing": "firms failing",
    "gini": "inequality of firms (Gini)",
}
"""Outcomes on which worlds are compared, at full strength of the shock but for G."""
IN_PERCENT = frozenset({"G", "d", "e", "depth"})
"""Those that are shares of the twin's, told in per cent."""


@dataclass(frozen=True)
class Ours:
    """One world: who supplies whom, what firms do, and what is done for them."""

    structure: str = "random"
    habit: str = "lean"
    policy: str = "none"

    def title(self, beside: tuple[Ours, ...]) -> str:
        """Name of it among others: what tells it from them, and nothing that all have in common."""
        parts = [
            words
            for name, words in (
                ("structure", self.structure.replace("_", " ")),
                ("habit", self.habit),
                ("policy", POLICIES[self.policy][0]),
            )
            if len({getattr(each, name) for each in beside}) > 1
        ]
        return ", ".join(parts) or self.structure.replace("_", " ")


@dataclass(frozen=True)
class Question:
    """What is compared: worlds, the shock that befalls all of them, and how often each is lived."""

    worlds: tuple[Ours, ...] = (Ours("random"), Ours("star"))
    shock: str = "hubs"
    measure: str = "consumption"
    replicates: int = 120
    intensities: int = INTENSITIES
    seed: int = 1

    def to_params(self) -> dict[str, str]:
        """Parameters of the page's address: what differs from the plain question."""
        plain = Question()
        found = {"worlds": "~".join(f"{world.structure}.{world.habit}.{world.policy}" for world in self.worlds)}
        found |= {name: str(getattr(self, name)) for name in ("shock", "measure", "replicates", "seed")}
        usual = {"worlds": "~".join(f"{world.structure}.{world.habit}.{world.policy}" for world in plain.worlds)}
        usual |= {name: str(getattr(plain, name)) for name in ("shock", "measure", "replicates", "seed")}
        return {name: value for name, value in found.items() if value != usual[name]}

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> Question:
        """Read an address; what cannot be read keeps its usual value."""
        plain = cls()
        worlds = tuple(world for text in params.get("worlds", "").split("~")[:MOST] if (world := _world(text)))
        replicates, seed = params.get("replicates", ""), params.get("seed", "")
        return cls(
            worlds=worlds if len(worlds) > 1 else plain.worlds,
            shock=params["shock"] if params.get("shock") in spec().shocks else plain.shock,
            measure=params["measure"] if params.get("measure") in MEASURES else plain.measure,
            replicates=int(replicates) if replicates in map(str, REPLICATES) else plain.replicates,
            seed=int(seed) if seed.isascii() and seed.isdigit() and len(seed) < 10 else plain.seed,
        )

    @property
    def firm_days(self) -> int:
        """What it costs to answer, firms x days."""
        lives = len(self.worlds) * self.replicates * self.intensities
        return lives * int(spec().economy.firms) * spec().days  # type: ignore[attr-defined]

    @property
    def aided(self) -> bool:
        """Whether any world has a policy."""
        return any(world.policy != "none" for world in self.worlds)

    def names(self) -> tuple[str, ...]:
        """Names of the worlds, each its own."""
        titles = [world.title(self.worlds) for world in self.worlds]
        return tuple(
            title if titles.count(title) == 1 else f"{title} ({'ABCD'[at]})" for at, title in enumerate(titles)
        )

    def refuse(self) -> str:
        """What is wrong with it, in a sentence; empty where nothing is."""
        if not 2 <= len(self.worlds) <= MOST:
            return f"{len(self.worlds)} worlds: choose from two to {MOST}."
        if len(set(self.worlds)) < len(self.worlds):
            return "Two worlds are the same, so they would differ in nothing; change one of them."
        for world in self.worlds:
            needed = POLICIES[world.policy][2]
            if needed and needed not in {part.kind for part in spec().habits[world.habit].mechanisms}:
                return (
                    f"{POLICIES[world.policy][0].capitalize()} means nothing to {world.habit} firms, which have no "
                    f"{needed}; choose the habit adaptive, or another policy."
                )
        if self.aided and self.measure != "production":
            return "With policies, worlds are compared by everything made; choose that measure."
        return ""

    def scenarios(self) -> dict[str, Scenario]:
        """Scenario of each world, by name. Raises InputError for a question that makes no comparison."""
        wrong = self.refuse()
        if wrong:
            raise InputError(wrong)
        return {name: self._scenario(world, name) for name, world in zip(self.names(), self.worlds, strict=True)}

    def _scenario(self, world: Ours, name: str) -> Scenario:
        policy = POLICIES[world.policy][1]
        made = spec().scenario(world.structure, world.habit, self.shock)
        changed: dict[str, object] = {"name": name, "seed": self.seed}
        if policy is not None:
            first: Any = made.shocks[0]
            changed["policies"] = [policy | {"trigger": {"after": first.label}}]
        return made.with_(changed)


def _world(text: str) -> Ours | None:
    """A world as an address names it; None where that is none."""
    parts = text.split(".")
    if (
        len(parts) != 3
        or parts[0] not in spec().structures
        or parts[1] not in spec().habits
        or parts[2] not in POLICIES
    ):
        return None
    return Ours(*parts)


@cache
def spec() -> AtlasSpec:
    """Return the atlas whose structures, shocks and habits are offered."""
    return load("default")


@dataclass(frozen=True, eq=False)
class Answer:
    """What a comparison found, as plain values: nothing of it needs the runs any more.

    ``curves`` holds mean response, low and high of each world in %, shape (m,) each; ``gaps`` the same of the paired
    differences from the first; ``relations`` a sentence and its numbers for each other world; ``verdicts``, ``effects``
    and ``costs`` are rows of tables.
    """

    names: tuple[str, ...]
    x: list[float]
    unit: str
    verdicts: list[dict[str, Any]]
    curves: dict[str, dict[str, list[float]]]
    gaps: dict[str, dict[str, list[float]]]
    relations: dict[str, tuple[str, str]]
    effects: list[dict[str, Any]]
    costs: list[dict[str, Any]]
    remarks: tuple[str, ...]
    n: int
    correction: str


def answer(question: Question, report: Callable[[float], None] | None = None) -> Answer:
    """Live all worlds and compare them; ``report`` hears the share that is done, 0 to 1.

    Raises InputError for a question that makes no comparison.
    """
    wrong = question.refuse()
    if wrong:
        raise InputError(wrong)
    lived = _one_by_one(question, report) if question.aided else _as_blocks(question, report)
    return _told(question, lived)


@dataclass(frozen=True, eq=False)
class Lived:
    """One world: its responses by the measure asked for, and what it keeps in order to be resilient."""

    of: Responses
    cost: dict[str, float]


def _as_blocks(question: Question, report: Callable[[float], None] | None) -> dict[str, Lived]:
    from ecosim.resilience.atlas_cells import Cell, economies, respond
    from ecosim.resilience.blocks import BlockEconomy

    atlas = spec().model_copy(
        update={"replicates": question.replicates, "intensities": question.intensities, "seed": question.seed}
    )
    total, found = 2 * len(question.worlds), {}
    for at, (name, world) in enumerate(zip(question.names(), question.worlds, strict=True)):
        of = economies(atlas, world.structure)
        twin = BlockEconomy(atlas.scenario(world.structure, world.habit), of).live()
        _tell(report, 2 * at + 1, total)
        lived = respond(atlas, Cell("own", world.habit, world.structure, question.shock), of, twin)
        measured = {letter: lived.outcomes[f"{letter}_{question.measure}"] for letter in "de"}
        habit, plan = atlas.habits[world.habit], of.whole
        cost = {"stock": habit.inventory_days, "spare": habit.headroom, "links": len(plan.flow) / len(plan.firms)}
        found[name] = Lived(replace(lived, d=measured["d"], e=measured["e"]), cost)
        _tell(report, 2 * at + 2, total)
    return found


def _one_by_one(question: Question, report: Callable[[float], None] | None) -> dict[str, Lived]:
    from ecosim.resilience.twins import respond

    scenarios, found = question.scenarios(), {}
    total = question.replicates * len(scenarios)
    for at, ((name, scenario), world) in enumerate(zip(scenarios.items(), question.worlds, strict=True)):

        def count(done: int, _: int, before: int = at * question.replicates) -> None:
            _tell(report, before + done, total)

        of = respond(scenario, replicates=question.replicates, intensities=question.intensities, progress=count)
        habit = spec().habits[world.habit]
        links = float(of.costs["links"].mean()) / of.made.firms
        found[name] = Lived(of, {"stock": habit.inventory_days, "spare": habit.headroom, "links": links})
    return found


def _tell(report: Callable[[float], None] | None, done: int, total: int) -> None:
    if report is not None:
        report(done / total)


def _told(question: Question, lived: dict[str, Lived]) -> Answer:
    """Verdicts corrected over the worlds, and each world against the first."""
    from ecosim.resilience import classify, correct, dominance

    (first, base), *others = ((name, each.of) for name, each in lived.items())
    judged = {name: classify(each.of.x, each.of.d, each.of.e) for name, each in lived.items()}
    verdicts = correct(judged)
    apart = {name: dominance(base.x, of.d, base.d) for name, of in others}
    return Answer(
        names=tuple(lived),
        x=base.x.tolist(),
        unit=base.made.unit,
        verdicts=[verdict_row(name, verdict) for name, verdict in verdicts.items()],
        curves={name: _curve(each.of.d) for name, each in lived.items()},
        gaps={
            name: {"mean": _points(of.difference), "low": _points(of.low), "high": _points(of.high)}
            for name, of in apart.items()
        },
        relations={name: relation(name, first, of) for name, of in apart.items()},
        effects=[row for name, of in others for row in _effects(name, base, of)],
        costs=[{"world": name, **each.cost} for name, each in lived.items()],
        remarks=tuple(f"{name}: {remark}" for name, each in lived.items() for remark in _remarks(each.of)),
        n=len(base.d),
        correction=verdicts[first].correction,
    )


def _remarks(of: Responses) -> tuple[str, ...]:
    """What a reader must know before believing intervals."""
    if len(of.d) > 1 and np.ptp(of.d, axis=0).max() == 0.0:
        return ("every replicate is equal, since nothing in it is left to chance: its intervals have no width.",)
    return ()


def verdict_row(name: str, verdict: Verdict) -> dict[str, Any]:
    """A verdict as one row, with its reason."""
    return {"world": name, **verdict.row()}


def _curve(d: Any) -> dict[str, list[float]]:
    mean = d.mean(axis=0)
    half = special.stdtrit(len(d) - 1, 0.975) * d.std(axis=0, ddof=1) / np.sqrt(len(d))
    return {"mean": _points(mean), "low": _points(mean - half), "high": _points(mean + half)}


def _points(shares: Any) -> list[float]:
    return (100.0 * shares).tolist()  # type: ignore[no-any-return]


def _effects(name: str, base: Responses, of: Responses) -> list[dict[str, Any]]:
    """Paired differences from the first world, at full strength of the shock, with 95 % t intervals."""
    from ecosim.resilience import mean_interval

    rows = []
    for outcome in EFFECTS:
        one, two = _at_full(base, outcome), _at_full(of, outcome)
        gap = mean_interval(two - one)
        rows.append(
            {
                "world": name, "outcome": outcome, "first": float(one.mean()), "other": float(two.mean()),
                "effect": gap.value, "low": gap.low, "high": gap.high, "n": gap.n,
            }
        )  # fmt: skip
    return rows


def _at_full(of: Responses, outcome: str) -> NDArray[np.float64]:
    """An outcome at full strength, (R,); days to recover are cut off at the end of the run, in both of a pair."""
    if outcome == "G":
        return np.asarray(of.d.mean(axis=1))
    if outcome in ("d", "e"):
        return np.asarray((of.d if outcome == "d" else of.e)[:, -1])
    values = of.outcomes[outcome]
    if outcome == "days_to_recover":
        return np.where(np.isnan(values[:, -1]), float(of.made.days), values[:, -1])
    if outcome in ("firms_failing", "gini"):
        return np.asarray(values[:, -1] - values[:, 0])
    return np.asarray(values[:, -1])


def relation(name: str, first: str, of: Dominance) -> tuple[str, str]:
    """Who loses less, in a sentence, with the numbers it rests on."""
    said = {
        "A dominates": f"{name} is better than {first} at every strength of the shock",
        "B dominates": f"{first} is better than {name} at every strength of the shock",
        "they cross": f"{name} and {first} cross: each is better at some strength",
        "equal": f"{name} and {first} respond alike in every replicate",
        "undecided": f"Neither of {name} and {first} is shown to be better at every strength",
    }[of.relation]
    best, worst = int(of.difference.argmax()), int(of.difference.argmin())
    at = [worst] if best == worst else [worst, best]
    where = " to ".join(
        f"{signed(100.0 * of.difference[k])} points "
        f"[{signed(100.0 * of.low[k])}, {signed(100.0 * of.high[k])}] at x = {of.x[k]:.4g}"
        for k in at
    )
    return said, f"paired difference {where}; n = {of.n}"


def effect_row(row: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    """An effect as it is shown: what, the first world's, this one's, the difference, its interval."""
    shares = row["outcome"] in IN_PERCENT
    scale, unit = (100.0, " %") if shares else (1.0, "")

    def told(key: str, form: str = "") -> str:
        value = scale * (row[key] or 0.0) + 0.0
        return f"{value:{form}.3g}".replace("-", "−")

    return (
        EFFECTS[row["outcome"]],
        told("first") + unit,
        told("other") + unit,
        told("effect", "+") + (" points" if shares else ""),
        f"[{told('low', '+')}, {told('high', '+')}]",
    )
