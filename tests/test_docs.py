"""Documentation executes: every Python block of the README and of docs runs as written."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

import ecosim
from ecosim import parameters

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _blocks(page: Path) -> list[str]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [page for page in PAGES if _blocks(page)], ids=lambda page: page.name)
def test_python_blocks_run(page, monkeypatch, tmp_path, capsys):
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    for number, block in enumerate(_blocks(page)):
        (tmp_path / f"block_{number}.py").write_text(block)
        exec(compile(block, f"{page.name}, block {number}", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        (0, {"network.kind": "my_plugin_0:Neighbours", "economy.kind": "uniform"}),
        (1, {"shocks": [{"kind": "my_plugin_1:Sundays"}]}),
        (2, {"metrics": ["my_plugin_2:Concentration"]}),
        (3, {"mechanisms": [{"kind": "my_plugin_3:Holidays", "days": {"median": 90}}]}),
    ],
)
def test_extensions_of_the_docs_work_as_written(number, changes, monkeypatch, tmp_path):
    block = _blocks(ROOT / "docs" / "extending.md")[number]
    (tmp_path / f"my_plugin_{number}.py").write_text(block)
    monkeypatch.syspath_prepend(tmp_path)
    plain = ecosim.Scenario().with_({"days": 20, "economy.firms": 60, "economy.kind": "table"})
    scenario = plain.with_(changes)
    eco = ecosim.Ecosystem(scenario)
    eco.run_for(20)
    calm = ecosim.Ecosystem(plain)
    calm.run_for(20)
    assert ecosim.Scenario.from_yaml(scenario.to_yaml()) == scenario
    if number == 0:
        assert sorted(eco.world.links.supplier[:5].tolist()) == [55, 56, 57, 58, 59]
    elif number == 1:
        fallen = eco.series["final_consumption"] < calm.series["final_consumption"]
        assert fallen.loc[6]
        assert not fallen.loc[:5].any()
    elif number == 2:
        assert (eco.series["concentration"] > 1 / 60).all()
    else:
        rested = 20 * 60 - eco.world.firms.produced.sum() / eco.world.firms.output.mean()
        assert 0.1 * 1200 < rested < 0.6 * 1200
    sys.modules.pop(f"my_plugin_{number}", None)


def test_every_shipped_scenario_loads_and_small_ones_run():
    for path in sorted((ROOT / "configs").glob("*.yaml")):
        scenario = ecosim.load(path)
        assert scenario.name == path.stem
        if path.stem in {"tiny", "main_street"}:
            result = ecosim.run(scenario)
            assert result.summary["loss"]["production_percent"] > 0


def test_readme_names_only_files_that_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (ROOT / target).exists(), target
    for named in re.findall(r"(?:ecosim|configs|docs|tests|benchmarks)/[\w./]*", text):
        assert (ROOT / named.rstrip(".")).exists(), named


@pytest.mark.parametrize(
    ("page", "written"), [("parameters.md", "parameters_page"), ("mechanisms.md", "mechanisms_page")]
)
def test_pages_written_by_the_code_are_up_to_date(page, written):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert text == getattr(parameters, written)(), f"write it again: ecosim parameters > docs/{page} (see --help)"


def test_every_parameter_that_the_docs_name_exists():
    table = parameters.parameters()
    exist = set(table["mechanism"] + "." + table["parameter"])
    kinds = set(table["mechanism"])
    text = (ROOT / "docs" / "small_business.md").read_text(encoding="utf-8")
    named = {name for name in re.findall(r"`([a-z]+\.[a-z_]+)`", text) if name.partition(".")[0] in kinds}
    assert len(named) > 60
    assert named <= exist, sorted(named - exist)
    assert {name.partition(".")[0] for name in named} >= kinds - {"pricing"}
