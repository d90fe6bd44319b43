"""Packages: which levers are on, at which level, and what that is as policies of a scenario."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecosim.config.edits import opened
from ecosim.config.written import dumped
from ecosim.policies.trigger import INDICATORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ecosim.study.policy.spec import PolicySpec

NONE = "none"


@dataclass(frozen=True)
class Package:
    """A level for each lever, 0 for off, in the order of the study's levers."""

    levels: tuple[int, ...]
    name: str

    @property
    def size(self) -> int:
        """How many levers are on."""
        return sum(level > 0 for level in self.levels)


def package(spec: PolicySpec, levels: Sequence[int]) -> Package:
    """The package of some levels, by the name that the study gives it, or else by what it is made of."""
    given = tuple(int(level) for level in levels)
    for name, listed in spec.packages.items():
        if given == _listed(spec, listed):
            return Package(given, name)
    parts = [
        name if lever.most == 1 else f"{name} {level}"
        for (name, lever), level in zip(spec.levers.items(), given, strict=True)
        if level
    ]
    return Package(given, " + ".join(parts) or NONE)


def _listed(spec: PolicySpec, levels: dict[str, int]) -> tuple[int, ...]:
    return tuple(levels.get(name, 0) for name in spec.levers)


def nothing(spec: PolicySpec) -> Package:
    """The package in which nothing is done."""
    return package(spec, [0] * len(spec.levers))


def single(spec: PolicySpec) -> list[Package]:
    """Each lever alone at each of its levels."""
    found = []
    for at, lever in enumerate(spec.levers.values()):
        for level in range(1, lever.most + 1):
            levels = [0] * len(spec.levers)
            levels[at] = level
            found.append(package(spec, levels))
    return found


def listed(spec: PolicySpec) -> list[Package]:
    """Nothing, each lever alone, and the packages that the study names."""
    named = [package(spec, _listed(spec, levels)) for levels in spec.packages.values()]
    return once([nothing(spec), *single(spec), *named])


def once(packages: Iterable[Package]) -> list[Package]:
    """The same without repetitions, in order."""
    return list({each.levels: each for each in packages}.values())


def policies(spec: PolicySpec, chosen: Package, shocks: Sequence[Any]) -> list[dict[str, Any]]:
    """Policies of a package where these shocks may strike, as a scenario lists them.

    A policy that waits for a shock that is not among them never begins, which is the same to the bit as leaving it out;
    where it waits for something else as well, it waits for that alone.
    """
    names = {shock.label for shock in shocks}
    found = []
    for (name, lever), level in zip(spec.levers.items(), chosen.levels, strict=True):
        if not level:
            continue
        policy = lever.at(level)
        where = f"levers.{name}.policy"
        # Written out in full, so that a study read back from its folder, where nothing is left unsaid, is the same one.
        values = dumped(policy, type(policy).model_fields, where)
        values |= {"kind": opened(policy, where)["kind"], "name": name}
        after = policy.trigger.after
        if after is not None and after not in names:
            if all(getattr(policy.trigger, other) is None for other in INDICATORS if other != "after"):
                continue
            values["trigger"] = {**values["trigger"], "after": None}
        found.append(values)
        names.add(name)  # a policy listed later may wait for it
    return found
