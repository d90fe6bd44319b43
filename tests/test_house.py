"""The house rules: one test command runs every tool, and nothing is tracked that should not be."""

import ast
import importlib
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ecosim

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TEXT_LIMIT = 2_000_000  # bytes; larger files are data
SELF = Path(__file__).resolve()


def run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout}{done.stderr}", pytrace=False)


def none(faults):
    if faults:
        pytest.fail("\n".join(map(str, faults)), pytrace=False)


@pytest.mark.parametrize("command", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff(command):
    run(sys.executable, "-m", "ruff", *command, ".")


def test_mypy():
    run(sys.executable, "-m", "mypy")


def test_layers():
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    run(sys.executable, "-c", program, "--no-cache")  # its cache takes a file for missing that has appeared since


# What is tracked ------------------------------------------------------------------------------------------------------


def tracked():
    """Every file under version control or about to be; without git, every file that is no cache or environment."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        paths = [ROOT / name for name in done.stdout.split("\0") if name]
        return sorted(path for path in paths if path.is_file())
    hidden = re.compile(r"(\.venv|\.git|\.\w+_cache|\.hypothesis|__pycache__|runs|build|dist)")
    files = (path for path in ROOT.rglob("*") if path.is_file() and path.name != "uv.lock")
    return sorted(path for path in files if not any(map(hidden.fullmatch, path.relative_to(ROOT).parts)))


def texts():
    """Every tracked text file but this one, which holds the patterns, with its text."""
    for path in tracked():
        if path != SELF and path.stat().st_size <= TEXT_LIMIT:
            content = path.read_bytes()
            if b"\0" not in content:
                yield path.relative_to(ROOT), content.decode("utf-8", "replace")


def places(pattern):
    found = re.compile(pattern)
    return [
        f"{path}:{number}: {line.strip()[:160]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if found.search(line)
    ]


def test_the_project_is_seen():
    names = {path.relative_to(ROOT).as_posix() for path in tracked()}
    assert {"pyproject.toml", "ecosim/__init__.py", "tests/test_house.py"} <= names


def test_no_lock_file_is_tracked():
    lock = re.compile(r"(.*\.lock|pylock.*\.toml|package-lock\.json|requirements.*\.txt)")
    none([path for path in tracked() if lock.fullmatch(path.name)])


def test_no_file_names_a_package_registry():
    hosts = r"pypi\.org|pythonhosted\.org|npmjs\.(org|com)|registry\.yarnpkg|deb\.debian\.org|anaconda\.org"
    none(places(rf"(?i)\b({hosts})"))


def test_no_file_names_a_place_on_somebodys_machine():
    none(places(r"(?<![\w.\-/~])/(home/\w|root\b|Users/\w|work/|opt/\w|mnt/\w)|\b[A-Z]:\\\\?Users"))


def test_nothing_is_left_to_do_in_the_files():
    none(places(r"\b(TODO|FIXME)\b"))


def test_no_file_has_conflict_marks_or_ends_without_a_newline():
    none(places(r"^(<{7}|>{7}) "))
    none([path for path, text in texts() if text and path.suffix == ".py" and not text.endswith("\n")])


# The package ----------------------------------------------------------------------------------------------------------


SOURCES = sorted((ROOT / "ecosim").rglob("*.py"))


def test_every_file_of_the_package_says_what_it_is():
    none([path for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))])


def test_every_folder_with_code_is_a_package():
    none(sorted({path.parent for path in SOURCES if not path.with_name("__init__.py").exists()}))


def modules():
    found = pkgutil.walk_packages(ecosim.__path__, "ecosim.")
    return ["ecosim", *(module.name for module in found if not module.name.endswith("__main__"))]


@pytest.mark.parametrize("name", modules())
def test_every_module_can_be_imported(name):
    importlib.import_module(name)


# The pins -------------------------------------------------------------------------------------------------------------


def pins():
    """Name to pinned version, for the pins that apply on this machine."""
    pinned = {}
    for line in PROJECT["tool"]["uv"]["constraint-dependencies"]:
        pin = Requirement(line)
        exact = re.fullmatch(r"==([^*,]+)", str(pin.specifier))
        assert exact, f"{line} is no exact version"
        if pin.marker is None or pin.marker.evaluate():
            pinned[canonicalize_name(pin.name)] = exact[1]
    return pinned


def needed(requirement, extra):
    marker = requirement.marker
    return marker is None or marker.evaluate(default_environment() | {"extra": extra})


def installed(line):
    """Whether a requirement's distribution is here at all."""
    return any(metadata.distributions(name=Requirement(line).name))


def closure():
    """Every distribution that ecosim needs here, with its extras and its groups, and the version installed."""
    project = PROJECT["project"]
    direct = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    # Groups that are not installed by default (what the benchmarks compare with) count only where they are.
    groups = PROJECT["dependency-groups"]
    direct += [line for name, group in groups.items() if name == "dev" or all(map(installed, group)) for line in group]
    waiting = [Requirement(line) for line in direct]
    seen, found = set(), {}
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if not needed(wanted, "") or name == "ecosim":
            continue
        for extra in {"", *wanted.extras} - {extra for known, extra in seen if known == name}:
            seen.add((name, extra))
            distribution = metadata.distribution(name)
            found[name] = distribution.version
            listed = (Requirement(line) for line in distribution.requires or [])
            # Extras were answered here; what is left of a marker is about the machine.
            waiting += [Requirement(str(each).split(";")[0]) for each in listed if needed(each, extra)]
    return found


def test_every_installed_dependency_is_pinned_at_its_version():
    pinned, here = pins(), closure()
    assert len(here) > 50, "the walk over the dependencies went wrong"
    none([f"{name}=={version}" for name, version in here.items() if pinned.get(name) != version])


def test_every_pin_is_of_something_that_is_needed():
    none(sorted(name for name in set(pins()) - set(closure()) if installed(name)))


def test_the_versions_promised_to_users_admit_what_was_tested():
    pinned = pins()
    for line in PROJECT["project"]["dependencies"]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)]), line
