"""Is everything here that ecosim needs? Each finding with what is missing and the exact mend."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from importlib import import_module, metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

type State = Literal["ok", "note", "broken"]

BILL = "sbom.cdx.json"  # scripts/sbom.py writes it from the pins
EXTRAS = {"cluster": "sweeps on a Dask cluster", "analysis": "Sobol' and Morris designs, policy search"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "firefox")
LEAST_DISK, LITTLE_DISK, LITTLE_MEMORY = 50e6, 1e9, 1e9  # bytes
FIRST_RUN = "up to a minute"  # that compiling all kernels takes
PYTHON = (3, 12)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: its ``state`` ("broken" is needed and missing), what was found, and the mend."""

    what: str
    state: State
    found: str
    mend: str = ""

    def __str__(self) -> str:
        """Say it in a line or two."""
        line = f"{self.state:7}{self.what}: {self.found}"
        return f"{line}\n{' ' * 7}mend: {self.mend}" if self.mend else line


def examine() -> list[Finding]:
    """Look at everything; nothing is changed, and nothing is compiled."""
    return [
        _python(),
        *_libraries(),
        *_extras(),
        _data(),
        _scenarios(),
        _disk(),
        _memory(),
        _kernels(),
        _browser(),
    ]


def plain(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as plain values, for JSON."""
    return [asdict(each) for each in findings]


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info[:2] < PYTHON:
        wanted = ".".join(map(str, PYTHON))
        return Finding("Python", "broken", f"{version}, and {wanted} is needed", f"install Python {wanted} or newer")
    return Finding("Python", "ok", f"{version} on {platform.platform()}")


# --- libraries --------------------------------------------------------------------------------------------------------


def tested() -> dict[str, tuple[str, str]]:
    """Version and scope (required, optional) of each library that ecosim was tested with, by name."""
    bill = json.loads((resources.files("ecosim") / BILL).read_text(encoding="utf-8"))
    return {part["name"]: (part["version"], part["scope"]) for part in bill["components"]}


def _libraries() -> Iterator[Finding]:
    """What ecosim asks for itself must be there; of all it leads to, other versions than were tested are told."""
    try:
        asked = metadata.requires("ecosim") or []
    except metadata.PackageNotFoundError:
        mend = "pip install ecosim, or uv sync in a checkout"
        yield Finding("ecosim", "broken", "not installed, only found as a folder", mend)
        return
    from packaging.requirements import InvalidRequirement, Requirement

    yield Finding("ecosim", "ok", metadata.version("ecosim"))
    known, wrong = tested(), False
    for line in asked:
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            continue
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        version = _installed(wanted.name)
        if version is None or not wanted.specifier.contains(version, prereleases=True):
            wrong = True
            found = "missing" if version is None else f"{version}, and {wanted.specifier} is needed"
            yield Finding(wanted.name, "broken", found, f"pip install '{wanted.name}{wanted.specifier}'")
    if wrong:
        return
    here = {name: (_installed(name), version) for name, (version, scope) in known.items() if scope == "required"}
    other = [f"{name} {now} (tested: {then})" for name, (now, then) in here.items() if now not in {None, then}]
    same = sum(now == then for now, then in here.values())
    if other:
        told = f"{same} as tested; others: {', '.join(other)}"
        yield Finding(
            "libraries", "note", told, "nothing, unless a result differs: another version may change the last bit"
        )
    else:
        yield Finding("libraries", "ok", f"all {same} in the versions that ecosim was tested with")


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _extras() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    lines = [Requirement(line) for line in _requires()]
    for extra, what in EXTRAS.items():
        names = [
            line.name
            for line in lines
            if line.marker is not None
            and line.marker.evaluate({"extra": extra})
            and not line.marker.evaluate({"extra": ""})
        ]
        missing = [name for name in names if _installed(name) is None]
        if missing or not names:
            told = f"{', '.join(missing) or 'not known'} missing: no {what}"
            yield Finding(f"extra {extra}", "note", told, f"pip install 'ecosim[{extra}]'")
        else:
            yield Finding(f"extra {extra}", "ok", ", ".join(f"{name} {_installed(name)}" for name in names))


def _requires() -> list[str]:
    try:
        return metadata.requires("ecosim") or []
    except metadata.PackageNotFoundError:
        return []


# --- files, room, kernels ---------------------------------------------------------------------------------------------


def _data() -> Finding:
    from ecosim.provenance import damaged_data, data_sums

    damaged = damaged_data()
    if damaged:
        return Finding("data tables", "broken", " ".join(damaged), "pip install --force-reinstall --no-deps ecosim")
    return Finding("data tables", "ok", f"{len(data_sums())} files as they were shipped")


def _scenarios() -> Finding:
    from ecosim.found import shipped

    names = shipped()
    if not names:
        mend = "pip install --force-reinstall --no-deps ecosim"
        return Finding("shipped scenarios", "broken", "none found", mend)
    return Finding("shipped scenarios", "ok", f"{len(names)}")


def _disk() -> Finding:
    try:
        free = shutil.disk_usage(Path.cwd()).free
    except OSError as error:
        return Finding("disk", "broken", f"this folder cannot be looked at ({error})", "change to another folder")
    state: State = "broken" if free < LEAST_DISK else "note" if free < LITTLE_DISK else "ok"
    mend = "" if state == "ok" else "make room, or write elsewhere with --out"
    return Finding("disk", state, f"{free / 1e9:.1f} GB free here", mend)


def _memory() -> Finding:
    import psutil

    memory = psutil.virtual_memory()
    told = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB free, {os.cpu_count() or 1} processors"
    if memory.available < LITTLE_MEMORY:
        return Finding("memory", "note", told, "take fewer firms (--set economy.firms=500), or close other programs")
    return Finding("memory", "ok", told)


def _kernels() -> Finding:
    """Whether compiled kernels can be kept, and how many are."""
    try:
        kept, every, folder = kernels()
    except ImportError as error:
        return Finding(
            "compiled kernels", "broken", f"numba cannot be loaded ({error})", "pip install --force-reinstall numba"
        )
    if folder is None or not _writable(folder):
        where = "no folder for them" if folder is None else f"{folder} cannot be written to"
        mend = "set NUMBA_CACHE_DIR to a folder of yours"
        return Finding("compiled kernels", "note", f"{where}: every run compiles anew, {FIRST_RUN}", mend)
    if not kept:
        return Finding(
            "compiled kernels",
            "note",
            f"none yet in {folder}: the first run takes {FIRST_RUN} longer",
            "ecosim run tiny",
        )
    rest = "" if kept == every else f"; what a run needs of the others is compiled once, in {FIRST_RUN}"
    return Finding("compiled kernels", "ok", f"{kept} of {every} in {folder}{rest}")


def kernels() -> tuple[int, int, Path | None]:
    """How many kernels are compiled and kept for this code and this numba, of how many, and where."""
    import pkgutil

    from numba.core.dispatcher import Dispatcher

    from ecosim import kernels as package

    kept = every = 0
    folder: Path | None = None
    for info in pkgutil.iter_modules(package.__path__):
        module = import_module(f"{package.__name__}.{info.name}")
        for each in vars(module).values():
            file = getattr(getattr(each, "_cache", None), "_cache_file", None)
            if not isinstance(each, Dispatcher) or each.py_func.__module__ != module.__name__ or file is None:
                continue
            every += 1
            folder = Path(str(each.stats.cache_path))
            try:
                kept += bool(file._load_index())  # empty where the code or numba has changed since
            except Exception:
                kept += 0  # a cache that cannot be read is made again
    return kept, every, folder


def _writable(folder: Path) -> bool:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK)


def _browser() -> Finding:
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        mend = "install Chromium, only if you want to run the dashboard's tests"
        return Finding("browser", "note", "none on the path; reports and runs need none", mend)
    return Finding("browser", "ok", f"{found} (only the dashboard's tests need one)")
