"""What the authors' own programs print: small networks, settings and output, as files that ship with ecosim."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ecosim.errors import InputError


def printed(prefix: str) -> dict[str, dict[str, Any]]:
    """Cases whose file name begins so, by name; source and terms stand in the README beside the files."""
    here = Path(__file__).parent
    # Inside the wheel they lie in the package; in a checkout among the tests.
    for folder in (here / "golden", here.parent.parent / "tests" / "golden"):
        files = sorted(folder.glob(f"{prefix}_*.json"))
        if files:
            return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}
    raise InputError("the authors' own numbers (golden) are not installed; install ecosim from its wheel or a checkout")
