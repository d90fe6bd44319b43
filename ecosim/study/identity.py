"""What a run is called: a hash of the code that lives it, of its scenario, and of its replicate."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecosim.config import Scenario

#: Parts of ecosim that decide nothing of a run.
APART = ("commands", "bench", "validation", "cli.py", "terminal.py", "__main__.py", "__init__.py")
LETTERS = 20  # of an id: 80 bits, so that no two of a trillion runs share one


@cache
def code_version() -> str:
    """Hash of the source of ecosim, the same wherever the same code is installed; classes of one's own are not in."""
    home = Path(__file__).parent.parent
    total = hashlib.sha256()
    for path in sorted(home.rglob("*.py"), key=lambda path: path.relative_to(home).as_posix()):
        name = path.relative_to(home)
        if name.parts[0] not in APART:
            total.update(f"{name.as_posix()}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()[:LETTERS]


def run_id(code: str, scenario: Scenario, replicate: int) -> str:
    """Id of a run; its seed is the scenario's."""
    return hashlib.sha256(f"{code}\0{scenario.digest()}\0{replicate}".encode()).hexdigest()[:LETTERS]
