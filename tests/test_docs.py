"""Documentation executes: Python, commands, tutorials, notebooks; what code writes is up to date; the site builds."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import typer
from nbclient import NotebookClient

import ecosim
from ecosim import cli, odd, parameters, resilience
from ecosim.mechanisms.mechanism import PHASES
from ecosim.state import Links

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
TUTORIALS = [page for page in PAGES if page.parent.name == "tutorials"]
BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```", re.MULTILINE | re.DOTALL)
QUIET = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # Material advertises its successor otherwise
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))


def _id(path):
    return path.relative_to(ROOT).as_posix()


def _blocks(page: Path) -> list[str]:
    return [text for language, _, text in BLOCK.findall(page.read_text(encoding="utf-8")) if language == "python"]


# What readers type ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [page for page in PAGES if _blocks(page) and page not in TUTORIALS], ids=_id)
def test_python_blocks_run(page, monkeypatch, tmp_path, capsys):
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    for number, block in enumerate(_blocks(page)):
        (tmp_path / f"block_{number}.py").write_text(block)
        exec(compile(block, f"{page.name}, block {number}", "exec"), {"__name__": "__main__"})


def _commands(text: str) -> list[list[str]]:
    """Words of each ecosim command in shell blocks and indented blocks of a page."""
    lines = [
        line for language, _, block in BLOCK.findall(text) if language in {"sh", "bash"} for line in block.split("\n")
    ]
    lines += re.findall(r"^    (?:uv run )?(ecosim .*)$", text, re.MULTILINE)
    words = [shlex.split(part, comments=True) for line in lines for part in line.split(" && ")]
    words = [each[2:] if each[:2] == ["uv", "run"] else each for each in words]
    return [each[1 : each.index(">") if ">" in each else None] for each in words if each[:1] == ["ecosim"]]


def _parse(words: list[str]) -> None:
    """Let the real command line read a command, without running it."""
    command = typer.main.get_command(cli.app)
    rest = list(words)
    while hasattr(command, "commands") and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"no such command: ecosim {shlex.join(words)}"
        command = command.commands[rest.pop(0)]
    if not hasattr(command, "commands"):
        command.make_context("ecosim", rest)


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_commands_are_read_by_the_command_line(page):
    text = page.read_text(encoding="utf-8")
    for words in _commands(text):
        _parse(words)
    known = typer.main.get_command(cli.app).commands
    named = set(re.findall(r"`ecosim ([a-z]+)", text))
    assert named <= set(known), f"no such command: {named - set(known)}"


def test_commands_are_found_and_wrong_ones_are_noticed():
    assert _commands(
        "```sh\nuv run ecosim run tiny  # seconds\nls\necosim schema > x.json\n```\n\n    ecosim sweep q\n"
    ) == [
        ["run", "tiny"],
        ["schema"],
        ["sweep", "q"],
    ]
    with pytest.raises(AssertionError, match="no such command: ecosim runn tiny"):
        _parse(["runn", "tiny"])
    with pytest.raises(Exception, match="--sed"):
        _parse(["run", "tiny", "--sed", "3"])


def _plain(line: str) -> str:
    return " ".join(line.split())


@pytest.mark.parametrize("page", TUTORIALS, ids=_id)
def test_tutorials_do_what_they_say(page, typed, capsys, tmp_path):
    """Files are saved, commands and Python run in order in an empty folder; what is shown must have been printed."""
    space: dict[str, object] = {"__name__": "__main__"}
    printed = ""
    for language, title, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if title:
            (tmp_path / title).write_text(text)
        elif language == "python":
            exec(compile(text, page.name, "exec"), space)
            printed = capsys.readouterr().out
        elif language == "sh":
            printed = ""
            for words in _commands(f"```sh\n{text}```\n"):
                if "--looks" in words:  # said to take a while
                    continue
                code, out, err = typed(*words)
                assert code == 0, f"ecosim {shlex.join(words)}\n{err}"
                printed += out + err
        elif language == "text":
            said = [_plain(line) for line in printed.splitlines()]
            for line in map(_plain, text.splitlines()):
                assert any(line in each for each in said), (
                    f"{page.name} shows {line!r}, which was not printed:\n{printed}"
                )


@pytest.mark.parametrize("page", NOTEBOOKS, ids=_id)
def test_notebooks_run(page, tmp_path):
    book = nbformat.read(page, as_version=4)
    nbformat.validate(book)
    assert not any(cell.get("outputs") for cell in book.cells)
    client = NotebookClient(
        book,
        timeout=600,
        startup_timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute()
    assert any(cell.get("outputs") for cell in book.cells)


def test_notebooks_are_made_from_their_sources():
    spec = importlib.util.spec_from_file_location("notebooks", ROOT / "scripts" / "notebooks.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    sources = sorted((DOCS / "notebooks").glob("*.py"))
    assert (
        [path.stem for path in sources] == [path.stem for path in NOTEBOOKS] == ["policymaker", "researcher", "teacher"]
    )
    for path in sources:
        made = script.made(path.read_text(encoding="utf-8"))
        assert made == path.with_suffix(".ipynb").read_text(encoding="utf-8"), "write it again: scripts/notebooks.py"


# Parts of one's own ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        (0, {"network.kind": "my_plugin_0:Neighbours", "economy.kind": "uniform"}),
        (1, {"shocks": [{"kind": "my_plugin_1:Sundays"}]}),
        (2, {"metrics": ["my_plugin_2:Concentration"]}),
        (3, {"mechanisms": [{"kind": "my_plugin_3:Holidays", "days": {"median": 90}}]}),
        (4, {"policies": [{"kind": "my_plugin_4:Vouchers"}]}),
    ],
)
def test_extensions_of_the_docs_work_as_written(number, changes, monkeypatch, tmp_path):
    block = _blocks(DOCS / "extending.md")[number]
    lines = [line for line in block.splitlines() if line and not line.startswith(("import ", "from "))]
    assert len(lines) <= 15
    (tmp_path / f"my_plugin_{number}.py").write_text(block)
    monkeypatch.syspath_prepend(tmp_path)
    plain = ecosim.Scenario().with_({"days": 20, "economy.firms": 60, "economy.kind": "table", "economy.headroom": 0.5})
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
    elif number == 3:
        rested = 1 - eco.world.sheet.multipliers["capability"]
        assert 0.1 < rested.mean() < 0.45
    else:
        assert eco.series["final_consumption"].iloc[1] == pytest.approx(1.2 * calm.series["final_consumption"].iloc[1])
        paid = eco.world.memory["policy: vouchers"]["amount"]
        assert paid == pytest.approx(20 * 0.05 * eco.world.firms.output)
    sys.modules.pop(f"my_plugin_{number}", None)


def test_every_shipped_scenario_loads_and_small_ones_run():
    for path in sorted((ROOT / "configs").glob("*.yaml")):
        scenario = ecosim.load(path)
        assert scenario.name == path.stem
        if path.stem in {"tiny", "main_street"}:
            result = ecosim.run(scenario)
            assert result.summary["loss"]["production_percent"] > 0


# What pages say -------------------------------------------------------------------------------------------------------


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
    text = (DOCS / page).read_text(encoding="utf-8")
    assert text == getattr(parameters, written)(), f"write it again: ecosim parameters > docs/{page} (see --help)"


def test_every_parameter_that_the_docs_name_exists():
    table = parameters.parameters()
    exist = set(table["mechanism"] + "." + table["parameter"])
    kinds = set(table["mechanism"])
    text = (DOCS / "small_business.md").read_text(encoding="utf-8")
    named = {name for name in re.findall(r"`([a-z]+\.[a-z_]+)`", text) if name.partition(".")[0] in kinds}
    assert len(named) > 60
    assert named <= exist, sorted(named - exist)
    assert {name.partition(".")[0] for name in named} >= kinds - {"pricing"}


def test_figures_of_how_sure_stand_on_the_pages_they_are_from():
    rows = re.findall(r"^\| .* \| (.*) \| \[.*\]\((\w+\.md)\) \|$", (DOCS / "how_sure.md").read_text(), re.MULTILINE)
    assert len(rows) > 10
    for figures, page in rows:
        source = " ".join((DOCS / page).read_text(encoding="utf-8").split())
        for figure in figures.split(", "):
            assert figure in source, f"how_sure.md says {figure}, {page} does not"


def test_the_reference_has_every_public_name():
    pages = "".join(page.read_text() for page in (DOCS / "reference").glob("*.md"))
    shown = set(re.findall(r"^::: (\S+)$", pages, re.MULTILINE))
    wanted = {f"ecosim.{name}" for name in ecosim.__all__} - {"ecosim.published", "ecosim.resilience"}
    wanted |= {f"ecosim.resilience.{name}" for name in resilience.__all__}
    assert wanted <= shown, sorted(wanted - shown)


# The ODD protocol -----------------------------------------------------------------------------------------------------


def test_the_odd_page_is_up_to_date():
    text = (DOCS / "odd.md").read_text(encoding="utf-8")
    assert text == odd.fill_in(text, odd.parts()), "write it again: ecosim odd --page docs/odd.md"


def test_odd_shows_every_array_of_links_and_every_phase_of_every_mechanism():
    indexes = {"ptr", "out_ptr", "out_link", "out_flow", "columns"}
    assert set(Links.__dataclass_fields__) == set(odd.LINK_COLUMNS) | indexes
    day = odd.parts()["day"]
    acting = sum(hasattr(part, phase) for part in parameters.mechanisms() for phase in PHASES)
    assert day.count("        - ") == acting
    order = [day.index(f"`{step}`") for step in ("morning", "decide", "buy", "cut", "sell", "withhold", "evening")]
    assert order == sorted(order)
    assert day.index("phase *settle*") < day.index("phase *evening*") < day.index("`evening`")


def test_odd_of_a_scenario_has_what_it_switches_on_and_no_more(typed):
    code, out, _ = typed("odd", "tiny")
    assert code == 0
    assert "phase" not in out
    assert "| shock flood" not in out
    assert "| outage flood | `severity` |" in out
    assert "0.8 |" in out
    assert "| network | `links` | A CSV file, or the rows themselves. | 80 entries |" in out
    some = ecosim.load("tiny").with_({"mechanisms": ["learning"]})
    assert re.findall(r"^        - (\w+)", odd.parts(some)["day"], re.MULTILINE) == ["learning", "learning"]


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("nothing", "the page marks nothing; it must mark state, channels, day, submodels, values, each once"),
        ("<!-- code: state -->", "the page marks state; it must mark"),
        ("".join(f"<!-- code: {name} -->\n" for name in odd.parts(ecosim.Scenario())), "a mark of the page has no end"),
    ],
)
def test_a_page_without_its_marks_is_refused(page, told):
    with pytest.raises(ecosim.InputError, match=re.escape(told)):
        odd.fill_in(page, odd.parts(ecosim.Scenario()))


# The site -------------------------------------------------------------------------------------------------------------


def test_the_site_builds_without_a_warning_and_asks_no_network(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=QUIET)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    pages = {path: path.read_text(encoding="utf-8") for path in (tmp_path / "site").rglob("*.html")}
    assert len(pages) > 30
    outside = re.compile(
        r"<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*\b(?:src|data)=[\"']?(?:https?:)?//[^>]*>"
        r"|<link\b[^>]*href=[\"']?(?:https?:)?//[^>]*>|url\([\"']?(?:https?:)?//|@import [\"'](?:https?:)?//"
    )
    styles = {path: path.read_text(encoding="utf-8") for path in (tmp_path / "site").rglob("*.css")}
    for path, text in {**pages, **styles}.items():
        assert not outside.search(text), f"{path.name}: {outside.search(text)[0]}"
        # What Material fetches from elsewhere once a page has one of these.
        assert 'class="mermaid"' not in text
        assert 'data-md-component="source"' not in text
