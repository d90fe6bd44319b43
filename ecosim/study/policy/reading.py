"""A policy study from a YAML file, with every mistake at its line and column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ecosim.config import Problem, ScenarioError
from ecosim.config.source import read_text
from ecosim.config.words import explained
from ecosim.errors import InputError
from ecosim.model import Ecosystem
from ecosim.study.policy.packages import package, policies
from ecosim.study.policy.spec import PolicySpec
from ecosim.study.reading import find_study, inner_problems, spec_from

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from ecosim.config import Scenario

ASKED = "a policy study has at least 'scenario:', 'levers:' and 'shocks:'"


def load(named: str | PathLike[str], *, allow_code: bool = True) -> PolicySpec:
    """Policy study in a YAML file, or the shipped one of that name.

    File names in it are relative to its folder. Raises ScenarioError with every problem, each with file, line and
    column; without ``allow_code``, kinds of the form ``package.module:Name`` are refused. The seal of a file of one's
    own is kept beside it, as NAME.sealed.json.
    """
    path = find_study(str(named), "policies")
    spec = from_yaml(
        read_text(path), name=str(path), base_dir=path.resolve().parent, allow_code=allow_code, title=path.stem
    )
    if path == Path(named):
        spec._seal = path.resolve().with_suffix(".sealed.json")
    return spec


def from_yaml(
    text: str, *, name: str = "<text>", base_dir: Path | None = None, allow_code: bool = True, title: str = "policy"
) -> PolicySpec:
    """Policy study written in YAML 1.2; ``title`` names it where it does not name itself."""
    stand_in: dict[str, Any] = {"set": {}, "uncertainties": {}}
    return spec_from(
        text, PolicySpec, ASKED, stand_in, name, base_dir, allow_code=allow_code, title=title, faults=faults
    )


def made(given: Mapping[str, Any]) -> PolicySpec:
    """Policy study from Python values. Raises ScenarioError with every problem."""
    try:
        spec = PolicySpec.model_validate(dict(given))
    except ValidationError as error:
        found = inner_problems(error)
        raise (ScenarioError(found) if found else explained(error, PolicySpec, given)) from None
    wrong = faults(spec)
    if wrong:
        raise ScenarioError(wrong)
    return spec


def faults(spec: PolicySpec) -> list[Problem]:
    """What shows only once the economy is built: troubles that cannot strike it, and levers that mean nothing in it.

    Every trouble and every lever is tried alone in the base, before its first day.
    """
    try:
        plan = Ecosystem(spec.base).world.plan
    except InputError as error:
        return [Problem(None, None, None, "scenario", str(error))]
    found: list[Problem] = []
    possible: dict[str, Any] = {}
    for where, kinds in (("shocks", spec.shocks), ("sealed", spec.sealed)):
        for name, shocks in kinds.items():
            said = _refused(spec.base.with_({"shocks": list(shocks)}), plan)
            if said:
                found.append(_problem(said, "shocks.", f"{where}.{name}"))
            else:
                possible |= {shock.label: shocks for shock in shocks}
    for place, (name, lever) in enumerate(spec.levers.items()):
        after = lever.policy.trigger.after
        if after is not None and after not in possible and after not in list(spec.levers)[:place]:
            words = f"no shock, and no lever listed before, is called {after!r}; there are {', '.join(possible)}"
            found.append(Problem(None, None, None, f"levers.{name}.policy.trigger.after", words, after))
            continue
        struck = possible.get(after or "", ())
        levels = [lever.most if name == other else 0 for other in spec.levers]
        world = {"shocks": list(struck), "policies": policies(spec, package(spec, levels), struck)}
        said = _refused(spec.base.with_(world), plan)
        if said:
            found.append(_problem(said, "policies.0.", f"levers.{name}.policy"))
    return found


def _problem(said: str, inside: str, place: str) -> Problem:
    """Place what an economy says of a part of it, which begins with where that part stood."""
    where, _, words = said.partition(": ")
    if where.startswith(inside):
        return Problem(None, None, None, f"{place}.{where.removeprefix(inside)}", words)
    return Problem(None, None, None, place, said)


def _refused(scenario: Scenario, plan: Any) -> str:
    """What an economy says against a scenario before its first day; '' where nothing."""
    try:
        Ecosystem(scenario, blueprint=plan)
    except InputError as error:
        return str(error)
    return ""
