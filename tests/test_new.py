"""``ecosim new``: a scenario that runs, and a package whose tests pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import ecosim

ROOT = Path(__file__).parent.parent


def test_the_scenario_runs_and_explains_each_line(typed, tmp_path):
    code, out, _ = typed("new", "my_town")
    assert code == 0
    assert out.startswith("my_town.yaml is a scenario")
    text = (tmp_path / "my_town.yaml").read_text()
    scenario = ecosim.load(tmp_path / "my_town.yaml")
    assert (scenario.name, len(scenario.mechanisms)) == ("my_town", 4)
    result = ecosim.run(scenario.with_({"days": 40, "economy.firms": 60}), lineage="off")
    assert result.summary["loss"]["production_percent"] > 0
    # What stands in comments is a scenario, too, once it is one.
    told = text.replace("policies: []", "").replace("# policies:", "policies:").replace("#   ", "  ")
    with_policy = ecosim.Scenario.from_yaml(told)
    assert [policy.kind for policy in with_policy.policies] == ["emergency_grant"]
    assert with_policy.with_({"policies": []}) == scenario
    assert set(YAML(typ="safe").load(text)) == set(type(scenario).model_fields) - {"metrics", "profiles", "communities"}


@pytest.mark.parametrize("name", ["123", "null", "true", "1e5"])
def test_a_name_that_yaml_would_read_otherwise_stays_a_name(name, typed, tmp_path):
    assert typed("new", name)[0] == 0
    assert ecosim.load(tmp_path / f"{name}.yaml").name == name


def test_nothing_is_overwritten_without_being_asked(typed, tmp_path):
    (tmp_path / "my_town.yaml").write_text("mine")
    code, _, err = typed("new", "my_town")
    assert code == 2
    assert err == "error: my_town.yaml: exists already; choose another with --out, or overwrite it with --force\n"
    assert typed("new", "my_town", "--out", "other.yaml")[0] == 0
    assert typed("new", "my_town", "--force")[0] == 0
    assert ecosim.load(tmp_path / "my_town.yaml") == ecosim.load(tmp_path / "other.yaml")
    (tmp_path / "my_parts").mkdir()
    (tmp_path / "my_parts" / "notes.txt").write_text("mine")
    code, _, err = typed("new", "my_parts", "--plugin", "--force")
    assert code == 2
    assert err == "error: my_parts: exists already, and may hold work of yours; choose another with --out\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("a/b",), "'a/b': not a name for a file; letters, digits, - and _, such as a_b"),
        (("My-Parts", "--plugin"), "'My-Parts': no name for a package; small letters, digits and _, such as my_parts"),
        (("class", "--plugin"), "'class': no name for a package; small letters, digits and _, such as my_parts"),
        (("7up", "--plugin"), "'7up': no name for a package; small letters, digits and _, such as my_parts"),
        (("json", "--plugin"), "'json': Python imports something else by that name; choose another, such as my_json"),
        (
            ("numpy", "--plugin"),
            "'numpy': Python imports something else by that name; choose another, such as my_numpy",
        ),
    ],
)
def test_names_that_would_not_do_are_refused(words, told, typed, tmp_path):
    code, _, err = typed("new", *words)
    assert (code, err) == (2, f"error: {told}\n")
    assert not list(tmp_path.iterdir())


def test_the_package_passes_its_own_tests(typed, tmp_path):
    code, out, _ = typed("new", "--plugin", "corner_shops")
    assert code == 0
    assert "corner_shops.shock:Sundays" in out
    folder = tmp_path / "corner_shops"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    kinds = ("mechanism", "metric", "network", "policy", "shock")
    assert files == {
        ".gitignore", "README.md", "pyproject.toml", "scenario.yaml", "tests/test_corner_shops.py",
        "corner_shops/__init__.py", *(f"corner_shops/{kind}.py" for kind in kinds),
    }  # fmt: skip
    for path in files:
        assert not {"PACKAGE", "VERSION"} & set((folder / path).read_text().replace('"', " ").split()), path
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout
    for tool in (("check", "--select", "E,F,I,B,D100,D101"), ("format", "--check")):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *tool, "--isolated", "--line-length", "120", "."],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
