"""Write, or check, the software bill of materials: what ecosim is built of, in CycloneDX, from the pinned tree.

    uv run scripts/sbom.py             write ecosim/sbom.cdx.json
    uv run scripts/sbom.py --check     change nothing; exit 1 where it is not what the pins give

It names every distribution that ecosim or one of its extras needs, on any system, in the version of the pins, with
what each depends on. It goes into the wheel, and `ecosim doctor` compares a user's libraries with it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "ecosim" / "sbom.cdx.json"
PINS = "constraint-dependencies"
#: Systems on which ecosim is installed: what any of them needs is listed.
SYSTEMS = (
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
)


def bill() -> dict[str, Any]:
    """The bill of the pinned tree. Raises SystemExit where something that is needed is not pinned."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = map(Requirement, project["tool"]["uv"][PINS])
    pins: dict[str, str] = {canonicalize_name(pin.name): _exact(pin) for pin in listed}
    own = project["project"]
    needs = {"": own["dependencies"], **own["optional-dependencies"]}
    direct = {extra: {canonicalize_name(Requirement(line).name) for line in lines} for extra, lines in needs.items()}
    required = _closure([Requirement(line) for line in needs.pop("")])
    optional = _closure([Requirement(line) for lines in needs.values() for line in lines])
    edges = {**optional, **required}
    missing = sorted(set(edges) - set(pins))
    if missing:
        raise SystemExit(f"pyproject.toml: {', '.join(missing)} is needed and not pinned; run scripts/pin.py --keep")
    itself = _purl("ecosim", own["version"])
    names = {name: _purl(name, pins[name]) for name in sorted(edges)}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": itself, "name": "ecosim", "version": own["version"], "purl": itself,
                "licenses": [{"license": {"id": own["license"]}}],
            }
        },
        "components": [
            {
                "type": "library", "bom-ref": names[name], "name": name, "version": pins[name], "purl": names[name],
                "scope": "required" if name in required else "optional", **_licences(name),
            }
            for name in names
        ],
        "dependencies": [
            {"ref": itself, "dependsOn": sorted(names[name] for name in set().union(*direct.values()))},
            *({"ref": names[name], "dependsOn": sorted(names[each] for each in edges[name])} for name in names),
        ],
    }  # fmt: skip


def _exact(pin: Requirement) -> str:
    return str(pin.specifier).removeprefix("==")


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def _closure(waiting: list[Requirement]) -> dict[str, set[str]]:
    """Every distribution that requirements lead to, each with what it depends on."""
    edges: dict[str, set[str]] = {}
    seen: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        edges.setdefault(name, set())
        for extra in {"", *wanted.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            listed = [Requirement(line) for line in _requires(name)]
            needed = [each for each in listed if _applies(each, extra)]
            edges[name] |= {canonicalize_name(each.name) for each in needed}
            waiting += needed
    return edges


def _requires(name: str) -> list[str]:
    try:
        return metadata.distribution(name).requires or []
    except metadata.PackageNotFoundError:  # of another system: what it needs is not known here
        return []


def _applies(requirement: Requirement, extra: str) -> bool:
    marker = requirement.marker
    if marker is None:
        return not extra
    with_extra = any(marker.evaluate({**system, "extra": extra}) for system in SYSTEMS)
    return with_extra and (not extra or not any(marker.evaluate({**system, "extra": ""}) for system in SYSTEMS))


def _licences(name: str) -> dict[str, Any]:
    """The licence that a distribution states, where it is installed here and states one in SPDX."""
    try:
        stated = metadata.metadata(name).get("License-Expression")
    except metadata.PackageNotFoundError:
        return {}
    return {"licenses": [{"expression": stated}]} if stated else {}


def text() -> str:
    """The bill as it stands in the file."""
    return json.dumps(bill(), indent=1, ensure_ascii=False) + "\n"


def compared(found: str) -> str:
    """A bill without its licences, which depend on what is installed here."""
    return re.sub(r'"licenses": \[.*?\]', "", json.dumps(json.loads(found)))


def main() -> int:
    """Write or check the bill. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Write the bill of materials of the pinned tree, in CycloneDX.")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit 1 where it is not what the pins give"
    )
    made = text()
    if parser.parse_args().check:
        same = PLACE.is_file() and compared(PLACE.read_text(encoding="utf-8")) == compared(made)
        sys.stderr.write("" if same else f"{PLACE.relative_to(ROOT)}: not what the pins give; run scripts/sbom.py\n")
        return 0 if same else 1
    PLACE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
