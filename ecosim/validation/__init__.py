"""What the model is checked against: one module for each subject, each a list of what is expected and what is found."""

from __future__ import annotations

from ecosim.validation.check import Check
from ecosim.validation.default_world import default_world

#: What can be validated, by name on the command line.
SUBJECTS = {"default-world": default_world}

__all__ = ["SUBJECTS", "Check", "default_world"]
