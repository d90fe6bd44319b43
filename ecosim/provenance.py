"""Where an artefact comes from: scenario, seed, code, libraries, data with their terms, and the command that made it.

Every command writes this record into what it makes, and `changes` says what is different here and now.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim import artefact
from ecosim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ecosim.config import Scenario
    from ecosim.economies.economy import Economy

LIBRARIES = ("ecosim", "mesa", "networkx", "numba", "numpy", "pandas", "pyarrow", "pydantic", "scipy")
#: Parts of ecosim that decide nothing of a run.
APART = ("commands", "bench", "dossier", "rerun", "validation", "cli.py", "terminal.py", "__main__.py", "__init__.py")
LETTERS = 20  # of a code version: 80 bits
SUMS = "SHA256SUMS"  # of the data that ship with ecosim
KEY = "provenance"  # under which a record stands in a file that holds other things, too
FILE = "provenance.json"  # where a folder has no file of its own that could hold it
LONGEST = 4096  # letters of a text that could name a file


@cache
def code_version() -> str:
    """Hash of the source of ecosim, the same wherever the same code is installed; classes of one's own are not in."""
    home = Path(__file__).parent
    total = hashlib.sha256()
    for path in sorted(home.rglob("*.py"), key=lambda path: path.relative_to(home).as_posix()):
        name = path.relative_to(home)
        if name.parts[0] not in APART:
            total.update(f"{name.as_posix()}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()[:LETTERS]


def versions() -> dict[str, str]:
    """Versions of the libraries that decide what a run computes, and of Python."""
    return {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()}


def command() -> list[str] | None:
    """Words of the command that is at work, as typed; None where ecosim is used from Python."""
    program = Path(sys.argv[0] if sys.argv else "")
    ours = program.stem == "ecosim" or (program.name == "__main__.py" and program.parent.name == "ecosim")
    return ["ecosim", *sys.argv[1:]] if ours else None


def record(
    scenarios: Scenario | Mapping[str, Scenario], *, seed: int, imported: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Say where something comes from that is being made of one scenario, or of several by name.

    ``imported`` has the SHA-256 of each file that was read, by path; by default of every file that the scenarios name.
    """
    several: Mapping[str, Scenario] = scenarios if isinstance(scenarios, Mapping) else {"": scenarios}
    digests = {name: scenario.digest() for name, scenario in several.items()}
    return {
        "scenario_sha256": digests if isinstance(scenarios, Mapping) else digests[""],
        **about([scenario.economy for scenario in several.values()], seed=seed),
        "imported": dict(_named(several.values()) if imported is None else imported),
    }


def about(economies: Iterable[Economy], *, seed: int) -> dict[str, Any]:
    """The part of a record that needs no scenario."""
    return {
        "seed": seed,
        "command": command(),
        "code": code_version(),
        "versions": versions(),
        "platform": platform.platform(),
        "data": data_of(economies),
    }


def part(held: Mapping[str, Any]) -> dict[str, Any]:
    """The record that stands in a manifest among other things, for what is made of its folder."""
    names = ("scenario_sha256", "study_sha256", "seed", "command", "code", "versions", "platform", "data", "imported")
    return {name: held[name] for name in names if name in held}


def data_of(economies: Iterable[Economy]) -> list[dict[str, Any]]:
    """The tables that economies rest on: preset, source, terms, citation, and the SHA-256 of each of their files."""
    found: dict[str, dict[str, Any]] = {}
    for economy in economies:
        load = getattr(economy, "load", None)
        if load is None:
            continue
        table = load()
        found[f"{table.preset} {table.industries}"] = {
            "preset": table.preset,
            "source": table.source,
            "terms": table.terms,
            "citation": table.citation,
            "files": {name: sha256(_data() / name) for name in table.files},
        }
    return list(found.values())


def _named(scenarios: Iterable[Scenario]) -> dict[str, str]:
    """SHA-256 of every file that scenarios name."""
    from ecosim.config.written import mapping

    found: dict[str, str] = {}
    waiting: list[Any] = [mapping(scenario) for scenario in scenarios]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [item for key, item in value.items() if key not in {"name", "kind"}]
        elif isinstance(value, list | tuple):
            waiting += value
        elif isinstance(value, str) and 0 < len(value) <= LONGEST and "\0" not in value and _is_file(Path(value)):
            found[value] = sha256(Path(value))
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # too long a text for a name
        return False


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- what is different now -------------------------------------------------------------------------------------------


def of(folder: Path) -> dict[str, Any]:
    """Return the record of a folder that a command wrote."""
    held = artefact.read(artefact.holder(folder))
    found: dict[str, Any] = held.get(KEY, held)
    return found


def changes(made: Mapping[str, Any]) -> list[str]:
    """What differs between a record and here: ecosim, its code, libraries, files that were read; a sentence each."""
    told = []
    for name, before in made.get("versions", {}).items():
        now = _version(name)
        if now != before:
            told.append(f"{name} was {before} then, and is {now or 'missing'} now.")
    code = made.get("code")
    if code is not None and code != code_version():
        told.append(f"The code of ecosim was {code} then, and is {code_version()} now.")
    for data in made.get("data", []):
        for name, before in data.get("files", {}).items():
            told += _changed(_data() / name, before, f"data file {name}")
    for name, before in made.get("imported", {}).items():
        told += _changed(Path(name), before, name)
    return told


def _changed(path: Path, before: str, shown: str) -> list[str]:
    if not path.is_file():
        return [f"{shown} is gone: put it back (SHA-256 {before})."]
    now = sha256(path)
    return [] if now == before else [f"{shown} has changed since: its SHA-256 was {before}, and is {now} now."]


def refuse_other_files(then: Mapping[str, str], now: Mapping[str, str], where: object) -> None:
    """Raise InputError where a run that is lived again reads other files than it did, so that it is another world."""
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            raise InputError(
                f"{where}: {name} has changed since the run was made (SHA-256 {then.get(name, 'unknown')} then, "
                f"{now.get(name, 'unknown')} now); put the file back, or run the scenario again"
            )


def _version(name: str) -> str | None:
    if name == "python":
        return platform.python_version()
    try:
        return version(name)
    except PackageNotFoundError:
        return None


# --- the data that ship with ecosim ----------------------------------------------------------------------------------


def data_sums() -> dict[str, str]:
    """SHA-256 of each data file as it was shipped, by its name below ``ecosim/data``."""
    lines = (_data() / SUMS).read_text(encoding="utf-8").splitlines()
    return {name: total for total, name in (line.split("  ", 1) for line in lines)}


def damaged_data() -> list[str]:
    """Data files that are not as they were shipped; a sentence each."""
    return [
        word for name, total in data_sums().items() for word in _changed(_data() / name, total, f"data file {name}")
    ]


def _data() -> Path:
    return Path(str(resources.files("ecosim") / "data"))
