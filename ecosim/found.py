"""Where a scenario is found that somebody names: a file, or one of those that ship with ecosim."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ecosim.config import load as load_file
from ecosim.errors import InputError

if TYPE_CHECKING:
    from os import PathLike

    from ecosim.config import Scenario


def shipped() -> dict[str, Path]:
    """Scenarios that come with ecosim, by name."""
    here = Path(__file__).parent
    # Inside the wheel they lie in the package; in a checkout beside it.
    for folder in (here / "configs", here.parent / "configs"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


def find_scenario(named: str) -> tuple[Path, bool]:
    """Return the file of a scenario and whether it is a shipped one that stands in for a missing path.

    ``main_street``, ``main_street.yaml`` and ``configs/main_street.yaml`` all name the shipped scenario where no such
    file exists, so that a command from the documentation works in any folder.
    """
    path = Path(named)
    if path.is_file():
        return path, False
    known = shipped()
    plain = path.suffix in {"", ".yaml", ".yml"} and path.parent in {Path(), Path("configs")}
    if plain and path.stem in known:  # a folder of that name, such as of its run, is no scenario
        return known[path.stem], True
    if path.is_dir():
        raise InputError(f"{named}: a folder; give the YAML file of a scenario, or one of {', '.join(known)}")
    raise InputError(f"{named}: no such file; give the YAML file of a scenario, or one of {', '.join(known)}")


def load(named: str | PathLike[str], *, allow_code: bool = True) -> Scenario:
    """Scenario in a YAML file, or the shipped one of that name: ``load("tiny")``, ``load("configs/tiny.yaml")``.

    Without ``allow_code``, kinds of the form ``package.module:Name`` are refused: a stranger's file runs nothing.
    Raises InputError with every mistake at once, each with file, line and column.
    """
    return load_file(find_scenario(str(named))[0], allow_code=allow_code)
