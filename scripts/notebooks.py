"""Make the notebooks of docs/notebooks from the Python files beside them, whose cells begin with ``# %%``.

uv run scripts/notebooks.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "notebooks"
MARKDOWN = "[markdown]"


def made(source: str) -> str:
    """Text of a notebook: cells in the order of the file, without outputs."""
    cells = [_cell(at, part) for at, part in enumerate(source.split("# %%")[1:])]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    held = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(held, indent=1, ensure_ascii=False) + "\n"


def _cell(number: int, part: str) -> dict[str, Any]:
    first, _, body = part.partition("\n")
    cell = {"id": f"cell-{number}", "metadata": {}}
    if first.strip() == MARKDOWN:
        lines = [line.removeprefix("#").removeprefix(" ") for line in body.strip("\n").split("\n")]
        return {"cell_type": "markdown", **cell, "source": _lines(lines)}
    code = {"cell_type": "code", "execution_count": None, **cell, "outputs": []}
    return {**code, "source": _lines(body.strip("\n").split("\n"))}


def _lines(lines: list[str]) -> list[str]:
    """Lines as notebooks keep them: each but the last with its end."""
    return [line + "\n" for line in lines[:-1]] + lines[-1:]


def main() -> None:
    """Write each notebook beside its source."""
    for path in sorted(FOLDER.glob("*.py")):
        target = path.with_suffix(".ipynb")
        target.write_text(made(path.read_text(encoding="utf-8")), encoding="utf-8")
        print(target.name)


if __name__ == "__main__":
    main()
