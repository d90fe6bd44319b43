"""The benchmark says something for every target, and its numbers are numbers; how large they are is the machine's."""

from __future__ import annotations

import inspect
import math
import re
import runpy
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import ecosim
from ecosim.bench import GROUPS, country, day, elsewhere, esri, memory, rationing, show, startup
from ecosim.bench.line import HEAD, Line
from ecosim.cli import app
from ecosim.errors import InputError

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SMALL = {
    "day": lambda: day.lines(sizes=(200, 10_000), days=2),
    "memory": lambda: memory.lines(firms=300),
    "rationing": lambda: rationing.lines(firms=300),
    "esri": lambda: esri.lines((esri.Case(60, 5, 0, 1.0), esri.Case(60, 5, 10, 1.0))),
    "country": lambda: country.lines(firms=2000),
}
EXPECTED = {  # what stands in the table of targets
    "day": ["core day, 10,000 firms, at rest", "core day, 10,000 firms, in a cascade", "exponent of a day's time"],
    "memory": ["memory per firm"],
    "rationing": ["rule 2 over rule 0"],
    "esri": ["ESRI of all 60 firms", "ESRI of the 10 largest of 60 firms"],
    "country": ["build", "a year (365 days)"],
}


@pytest.mark.parametrize("group", SMALL)
def test_every_target_has_a_line_with_a_number_and_a_verdict(group):
    lines = list(SMALL[group]())
    for expected in EXPECTED[group]:
        assert any(line.what.startswith(expected) for line in lines), expected
    for line in lines:
        assert line.value is not None
        assert math.isfinite(line.value)
        assert line.value > 0 or line.what.startswith("exponent")
        assert line.limit is None or line.met in (True, False)
        assert len(line.what) < HEAD.index("reference"), "the columns would run together"
        assert line.reference == "" or str(line).index(line.reference) == HEAD.index("reference")
    assert any(line.met is not None for line in lines)


def test_start_up_is_measured_in_processes_of_their_own(monkeypatch, capsys):
    exec(startup.FIRST_STEP, {})
    assert [float(part) >= 0 for part in capsys.readouterr().out.split()] == [True] * 3
    monkeypatch.setattr(
        startup, "FIRST_STEP", "import os\nassert not os.listdir(os.environ['NUMBA_CACHE_DIR'])\nprint(1, 2, 3)"
    )
    helped, cold, warm = startup.lines(repeats=1)
    assert helped.what == "ecosim --help"
    assert "empty cache" in cold.what
    assert "in the cache" in warm.what
    for line in (helped, cold, warm):
        assert 0 < line.value < math.inf
    assert warm.value == cold.value == 5.0  # ecosim and building, and the step; Mesa's import is not ours
    assert warm.note.startswith("after importing Mesa, which takes 1.00 s of the process's ")
    monkeypatch.setattr(startup, "FIRST_STEP", "raise SystemExit('broken today')")
    with pytest.raises(RuntimeError, match="broken today"):
        list(startup.lines(repeats=1))


def test_a_year_that_was_not_lived_says_so_and_a_full_one_does_not():
    said = {}
    for full in (False, True):
        (_, year) = country.lines(firms=2000, full=full)
        said[full] = str(year)
    assert "ESTIMATE: 70 days lived, 295 more at the mean of the last 20" in said[False]
    assert "ESTIMATE" not in said[True]
    assert "every day lived" in said[True]


def test_a_country_too_large_for_the_memory_is_said_and_not_built(monkeypatch):
    monkeypatch.setattr("ecosim.memory.available", lambda: 700_000_000)
    (line,) = country.lines()
    assert line.value is None
    assert line.met is None
    assert "1,000,000 firms" in line.note


def test_what_other_programs_measure_has_no_figure_but_a_script_that_exists():
    lines = list(elsewhere.lines())
    references = " ".join(line.reference for line in lines)
    for peer in ("Mesa", "agentpy", "mesa-frames", "starsim", "ambr", "Inoue & Todo"):
        assert peer in references
    for line in lines:
        assert line.value is None
        assert "elsewhere" in str(line)
        (script,) = re.findall(r"benchmarks/[\w/]+\.py", line.note)
        assert (BENCHMARKS.parent / script).is_file()


def test_targets_are_met_on_the_right_side():
    assert Line("a", "", 2.0, "x", 2.0).met
    assert not Line("a", "", 2.1, "x", 2.0).met
    assert Line("a", "", 2.1, "x", 2.0, at_least=True).met
    assert Line("a", "", None, "x", 2.0).met is None
    assert Line("a", "", 2.0, "x").met is None


def test_memory_counts_what_the_arrays_take(monkeypatch):
    """The traced figure and the sum over arrays are two ways to the same number."""
    (traced,) = memory.lines(firms=20_000)
    counted = day.measure(20_000, 5, shocked=True, days=2).bytes_per_firm
    assert counted == pytest.approx(traced.value, rel=0.1)


def test_the_bare_kernel_lives_the_engines_days():
    """Otherwise its time would be no yardstick."""
    scenario = day.equals(500, 4, 40, shocked=True)
    eco = ecosim.Ecosystem(scenario)
    eco.run_for(20)
    arrays = day._copies(eco)
    eco.run_for(10)
    day._bare(arrays, 10)
    np.testing.assert_array_equal(arrays[1][11], eco.world.firms.production)
    np.testing.assert_array_equal(arrays[0][4], eco.world.links.stock)


def test_the_command_takes_a_choice_and_refuses_what_it_does_not_know(capsys):
    assert show(["elsewhere", "elsewhere"])
    out = capsys.readouterr().out
    assert out.count("authors_program.py") == 1
    assert "core day" not in out
    with pytest.raises(InputError, match=r"'weather'.*startup, day, memory"):
        show(["elsewhere", "weather"])
    with pytest.raises(InputError, match="--sizes is for the day"):
        show(["memory"], sizes=[100])
    show(sizes=[200], days=2)
    out = capsys.readouterr().out
    assert "core day, 200 firms" in out
    assert "memory per firm" not in out


def test_help_names_every_group():
    text = CliRunner().invoke(app, ["bench", "--help"]).output
    assert all(name in text for name in GROUPS)


def test_every_group_has_its_script(capsys, monkeypatch):
    """A thin one under benchmarks/, whose exit code says whether a target is missed."""
    scripts = {path: path.read_text() for path in BENCHMARKS.glob("*.py")}
    named = re.findall(r"script\(__doc__, ([^)]*)\)", " ".join(scripts.values()))
    assert set(re.findall(r'"(\w+)"', " ".join(named))) == set(GROUPS) - {"elsewhere"}
    monkeypatch.setattr("ecosim.bench.day.lines", lambda **_: [Line("day", "", 3.0, "x", 2.0)])
    monkeypatch.setattr("ecosim.bench.memory.lines", lambda **_: [Line("memory", "", 1.0, "B", 2.0)])
    monkeypatch.setattr("ecosim.bench.rationing.lines", lambda **_: [Line("rule", "", 1.0, "x", 2.0)])
    monkeypatch.setattr(sys, "argv", ["core.py", "--sizes", "200,400"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(BENCHMARKS / "core.py"), run_name="__main__")
    assert ended.value.code == 1
    assert "rule" in capsys.readouterr().out


def test_each_group_is_a_module_that_says_what_it_measures():
    for name in GROUPS:
        module = sys.modules[f"ecosim.bench.{name}"]
        assert inspect.getdoc(module)


@pytest.fixture
def authors(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return import_module("authors_program")


def test_the_authors_program_gets_every_firm_in_every_file(authors, tmp_path):
    plan = authors.in_sectors(ecosim.Ecosystem(authors.scenario(100, 2, "random")).world.plan)
    assert (plan.product == plan.firms.sector[plan.supplier]).all(), "proNet reads the product off the supplier"
    eco = ecosim.Ecosystem(authors.scenario(100, 2, "random"), blueprint=plan)
    eco.step()
    assert authors.write(eco, tmp_path) == ["-d", "damage", "A", "C", "P", "F"]
    table = {
        name: [line.split() for line in (tmp_path / name).read_text().splitlines()] for name in (*"ACPF", "damage")
    }
    everyone = [str(row) for row in range(100)]
    for name, words in (("C", 2), ("P", 2), ("F", 3)):
        assert [row[0] for row in table[name]] == everyone
        assert {len(row) for row in table[name]} == {words}
    assert len({(supplier, client) for supplier, client, _ in table["A"]}) == len(table["A"]) == 500
    flows = np.bincount([int(row[0]) for row in table["A"]], [float(row[2]) for row in table["A"]], minlength=100)
    sales = flows + [float(row[1]) for row in table["C"]]
    np.testing.assert_allclose(sales, [float(row[1]) for row in table["P"]], rtol=1e-12)
    assert {row[1] for row in table["damage"]} == {"0.5"}
    assert len(table["damage"]) == 10


def test_a_missing_program_is_said(authors, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["authors_program.py", "--program", str(tmp_path / "proNet")])
    assert authors.main() == 2
    assert "no program there" in capsys.readouterr().err
