"""Scenarios: written in YAML or made in Python, checked, changed, written back."""

from __future__ import annotations

from typing import Any

from ecosim.config.edits import parse_set
from ecosim.config.errors import Problem, ScenarioError
from ecosim.config.kinds import FAMILIES, KindError, address, find, known
from ecosim.config.places import placed
from ecosim.config.scenario import Scenario, load

__all__ = [
    "FAMILIES",
    "KindError",
    "Problem",
    "Scenario",
    "ScenarioError",
    "address",
    "find",
    "known",
    "load",
    "parse_set",
    "placed",
    "schema",
]


def schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a scenario, with every built-in kind of every family."""
    from ecosim.config.editors import schema as made  # it imports every kind, and only editors ask

    return made()
