"""Keep what `ecosim validate` finds with the code, so that reports can say how far the model is validated.

uv run scripts/validation_record.py               measure everything (some minutes) and write it down
uv run scripts/validation_record.py FOUND.json    write down what `ecosim validate --json` printed just now
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ecosim.provenance import code_version
from ecosim.validation.record import FILE

PLACE = Path(__file__).resolve().parent.parent / "ecosim" / "validation" / FILE


def main() -> int:
    """Write the record. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Keep what ecosim validate finds with the code.")
    parser.add_argument("found", nargs="?", type=Path, help="what ecosim validate --json printed; measured by default")
    found: Path | None = parser.parse_args().found
    if found is None:
        command = [sys.executable, "-m", "ecosim", "validate", "--json"]
        text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    else:
        text = found.read_text(encoding="utf-8")
    held = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "version": version("ecosim"),
        "code": code_version(),
        "checks": json.loads(text),
    }
    PLACE.write_text(json.dumps(held, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
