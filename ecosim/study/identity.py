"""What a run is called: a hash of the code that lives it, of its scenario, and of its replicate."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ecosim.provenance import LETTERS, code_version

if TYPE_CHECKING:
    from ecosim.config import Scenario

__all__ = ["code_version", "run_id"]


def run_id(code: str, scenario: Scenario, replicate: int) -> str:
    """Id of a run; its seed is the scenario's."""
    return hashlib.sha256(f"{code}\0{scenario.digest()}\0{replicate}".encode()).hexdigest()[:LETTERS]
