"""ecosim: an agent-based simulator of small-business ecosystems.

>>> import ecosim
>>> scenario = ecosim.load("configs/tiny.yaml")
>>> result = ecosim.run(scenario)
>>> result.summary["loss"]["production_percent"] > 0
True

Names are imported when they are first used, so that ``import ecosim`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecosim import published, resilience
    from ecosim.agents import SMB, Customer, Supplier
    from ecosim.blueprint import Blueprint
    from ecosim.config import Scenario, ScenarioError
    from ecosim.errors import InputError
    from ecosim.found import load
    from ecosim.model import Ecosystem
    from ecosim.paired import run
    from ecosim.result import Result
    from ecosim.study.policy.searching import policy
    from ecosim.study.policy.spec import PolicySpec
    from ecosim.study.results import Study
    from ecosim.study.spec import StudySpec
    from ecosim.study.sweeping import sweep

_HOMES = {
    "SMB": "agents",
    "Blueprint": "blueprint",
    "Customer": "agents",
    "Ecosystem": "model",
    "InputError": "errors",
    "PolicySpec": "study.policy.spec",
    "Result": "result",
    "Scenario": "config",
    "ScenarioError": "config",
    "Supplier": "agents",
    "Study": "study.results",
    "StudySpec": "study.spec",
    "load": "found",
    "policy": "study.policy.searching",
    "published": "published",
    "resilience": "resilience",
    "run": "paired",
    "sweep": "study.sweeping",
}

__all__ = [
    "SMB",
    "Blueprint",
    "Customer",
    "Ecosystem",
    "InputError",
    "PolicySpec",
    "Result",
    "Scenario",
    "ScenarioError",
    "Study",
    "StudySpec",
    "Supplier",
    "load",
    "policy",
    "published",
    "resilience",
    "run",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ecosim' has no attribute {name!r}; it has {', '.join(__all__)}")
    home = import_module(f"ecosim.{_HOMES[name]}")
    value = home if _HOMES[name] == name else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
