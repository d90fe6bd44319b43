"""Write, or check, the exact version of every package the project was tested with.

A lock file would record where each package was downloaded from, so none is kept under version control. Instead
pyproject.toml carries the versions alone, as constraints on uv's resolver: a fresh checkout resolves to the same tree.

    uv run scripts/pin.py                renew: the newest versions that fit the dependencies
    uv run scripts/pin.py --keep         keep the pinned versions, pin what is new, drop what is gone
    uv run scripts/pin.py --check        change nothing; exit 1 where the pins are not the whole tree
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = "constraint-dependencies"
BUILD_CONSTRAINTS = "build-constraint-dependencies"
EDITABLE_BUILD = "editables"  # what hatchling asks for, on top of itself, when it installs a checkout


def uv(*arguments: str, cwd: Path, stdin: str | None = None) -> str:
    """Standard output of one uv command. Raises SystemExit with uv's own message where it fails."""
    done = subprocess.run(["uv", *arguments], cwd=cwd, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"uv {' '.join(arguments)}: failed\n{done.stderr}")
    return done.stdout


def with_pins(pyproject: str, key: str, pins: list[str]) -> str:
    """The text of pyproject.toml with the list under `key` replaced by `pins`. Raises SystemExit if it has none."""
    body = "".join(f'  "{pin}",\n' for pin in pins)
    text, found = re.subn(rf"(?ms)^{key} = \[.*?^\]", lambda _: f"{key} = [\n{body}]", pyproject)
    if found != 1:
        raise SystemExit(f"pyproject.toml: expected one list `{key} = [` in [tool.uv], found {found}")
    return text


def requirements(listing: str) -> list[str]:
    """The lines of a requirements listing that name a package."""
    return [line for line in listing.splitlines() if line and not line.startswith(("#", " ", "-"))]


def resolve(pyproject: str) -> tuple[list[str], list[str]]:
    """Every package, with version and marker, that `pyproject` resolves to: at run time, and to build the wheel."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)  # away from the checkout, so that its lock file and its environment stay as they are
        (place / "pyproject.toml").write_text(pyproject)
        for name in ("README.md", "LICENSE"):
            (place / name).touch()
        plain = ("--no-annotate", "--no-header", "--python", sys.executable)
        tree = uv("export", "--all-extras", "--all-groups", "--no-emit-project", "--no-hashes", *plain, cwd=place)
        project = tomllib.loads(pyproject)
        build = "\n".join([*project["build-system"]["requires"], EDITABLE_BUILD])
        held = place / "held.txt"
        held.write_text("\n".join(project["tool"]["uv"][BUILD_CONSTRAINTS]))
        needed = uv("pip", "compile", "-", "--universal", "--constraints", str(held), *plain, cwd=place, stdin=build)
        return requirements(tree), requirements(needed)


def main() -> int:
    """Renew or check the pins in pyproject.toml. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Pin the exact versions of the whole dependency tree.")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="change nothing; exit 1 where the pins are incomplete")
    mode.add_argument("--keep", action="store_true", help="keep the pinned versions, pin only what is new")
    arguments = parser.parse_args()

    path = ROOT / "pyproject.toml"
    before = path.read_text()
    start = before
    if not (arguments.check or arguments.keep):
        for key in (CONSTRAINTS, BUILD_CONSTRAINTS):
            start = with_pins(start, key, [])
    tree, build = resolve(start)
    after = with_pins(with_pins(before, CONSTRAINTS, tree), BUILD_CONSTRAINTS, build)

    if arguments.check:
        if after == before:
            print(f"{len(tree)} packages and {len(build)} of the build are pinned.")
            return 0
        old, new = set(before.splitlines()), set(after.splitlines())
        print("The pins are not the whole tree; run: uv run scripts/pin.py --keep")
        for word, lines in (("missing", new - old), ("left over", old - new)):
            for line in sorted(lines):
                print(f"  {word}: {line.strip()}")
        return 1
    path.write_text(after)
    print(f"Pinned {len(tree)} packages and {len(build)} of the build in {path.name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
