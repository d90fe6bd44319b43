"""What `ecosim validate` found when it was last measured in full, kept with the code for whoever reads a result."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

FILE = "record.json"


@dataclass(frozen=True)
class Record:
    """All checks as `ecosim.report.validation.rows` has them, and the day and the code of the measurement."""

    date: str
    version: str
    code: str
    checks: tuple[dict[str, Any], ...]

    @classmethod
    def load(cls) -> Record:
        """Read the one that ships with ecosim; scripts/validation_record.py writes it."""
        held = json.loads((resources.files("ecosim") / "validation" / FILE).read_text(encoding="utf-8"))
        return cls(held["date"], held["version"], held["code"], tuple(held["checks"]))

    @property
    def judged(self) -> tuple[dict[str, Any], ...]:
        """Checks that rest on enough."""
        return tuple(check for check in self.checks if check["judged"])

    @property
    def missed(self) -> tuple[dict[str, Any], ...]:
        """Checks that were not met."""
        return tuple(check for check in self.judged if not check["passed"])

    def by_subject(self) -> list[tuple[str, int, int]]:
        """Subject, checks that were judged, and how many of these were met."""
        names = dict.fromkeys(check["subject"] for check in self.judged)
        each = [(name, [check["passed"] for check in self.judged if check["subject"] == name]) for name in names]
        return [(name, len(passed), sum(passed)) for name, passed in each]
