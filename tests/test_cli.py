"""The command line as a user types it: output, exit codes, and what is left on disk."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
from ruamel.yaml import YAML

import ecosim
from ecosim.folders import UNFINISHED, safe_name
from ecosim.result import FRAMES

CONFIGS = Path(__file__).parent.parent / "configs"


def test_the_first_command_of_the_readme_works_in_an_empty_folder(typed, tmp_path):
    code, out, err = typed("run", "configs/main_street.yaml")
    assert code == 0
    assert "which ships with ecosim" in err
    assert "2,000 firms in 15 sectors" in out
    assert "The bottom came on day" in out
    folder = tmp_path / "runs" / "main_street"
    names = {path.name for path in folder.iterdir()}
    frames = {f"{name}.parquet" for name in ("series", "firms", "links", "events", "lineage", "debts")}
    assert names == frames | {"scenario.yaml", "summary.json", "manifest.json", "figure.png"}
    assert (folder / "figure.png").stat().st_size > 20_000


def test_a_second_run_takes_another_folder_and_the_same_bits(typed, tmp_path):
    assert typed("run", "tiny", "--quiet")[1].strip() == str(Path("runs/tiny"))
    assert typed("run", "tiny", "--quiet")[1].strip() == str(Path("runs/tiny-2"))
    first, second = (
        json.loads((tmp_path / "runs" / name / "manifest.json").read_text()) for name in ("tiny", "tiny-2")
    )
    assert first["series_sha256"] == second["series_sha256"]
    assert first["network_sha256"] == second["network_sha256"]


def test_the_written_scenario_runs_again_to_the_same_bits(typed, tmp_path):
    typed("run", "tiny", "--seed", "7", "--days", "50", "--set", "shocks.0.severity=0.3", "--out", "a", "--quiet")
    code, _, _ = typed("run", "a/scenario.yaml", "--out", "b", "--quiet")
    assert code == 0
    pd.testing.assert_frame_equal(ecosim.Result.load("a").series, ecosim.Result.load("b").series)
    assert ecosim.Result.load("a").summary["days"] == 50
    assert ecosim.Result.load("a").manifest["seed"] == 7


def test_existing_output_is_kept_without_force(typed, tmp_path):
    typed("run", "tiny", "--out", "kept", "--quiet")
    before = (tmp_path / "kept" / "manifest.json").read_bytes()
    code, _, err = typed("run", "tiny", "--out", "kept", "--quiet", "--seed", "2")
    assert code == 2
    assert "kept: exists already" in err
    assert "--force" in err
    assert (tmp_path / "kept" / "manifest.json").read_bytes() == before
    assert typed("run", "tiny", "--out", "kept", "--force", "--quiet", "--seed", "2")[0] == 0
    assert (tmp_path / "kept" / "manifest.json").read_bytes() != before
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_force_never_replaces_what_is_not_a_run(typed, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("ten years")
    code, _, err = typed("run", "tiny", "--out", "thesis", "--force", "--quiet")
    assert code == 2
    assert "not the folder of a run" in err
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "ten years"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--set", "network.kind=rng"], ["network.kind", "rng", "did you mean 'ring'"]),
        (["--set", "economy.firms=0"], ["economy.firms", "0", "2"]),
        (["--days", "0"], ["days", "0", "1"]),
        (["--set", "economy.sixe=3"], ["economy.sixe", "unknown key"]),
        (["--set", "network.suppliers=several"], ["network.suppliers", "several", "whole number"]),
        (["--set", "shocks.0.severity=2"], ["shocks.0.severity", "2", "from 0 to 1"]),
        (["--set", "shocks.0.who.region=Rivrside"], ["shocks.0.who.region", "Rivrside", "did you mean 'Riverside'"]),
        (["--set", "economy.preset=atlantis"], ["atlantis", "us"]),
        (["--set", "network"], ["network", "path=value"]),
        (["--set", "network.kind=imported"], ["economy.kind", "given"]),
        (["--seed", "-1"], ["seed", "-1"]),
        (["--set", "economy.firms=10"], ["firms", "10", "30"]),
    ],
)
def test_bad_input_names_value_place_and_mend(typed, tmp_path, words, wanted):
    code, out, err = typed("run", "main_street", "--out", "never", *words)
    assert code == 2
    assert out == ""
    for word in wanted:
        assert word in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_complaint_of_the_builder_names_file_line_and_column(typed, tmp_path):
    text = (CONFIGS / "main_street.yaml").read_text().replace("region: Riverside", "region: Rivrside")
    (tmp_path / "mine.yaml").write_text(text)
    line = next(at for at, words in enumerate(text.splitlines(), 1) if "Rivrside" in words)
    code, _, err = typed("run", "mine.yaml", "--out", "never")
    assert code == 2
    assert re.search(rf"mine\.yaml:{line}:\d+: shocks\.0\.who\.region: no region is named 'Rivrside'", err)
    assert not (tmp_path / "never").exists()


def test_a_bad_csv_names_its_line(typed, tmp_path):
    (tmp_path / "firms.csv").write_text("firm,sector,final_demand\nA,x,10\nB,y,10\n")
    (tmp_path / "links.csv").write_text("supplier,client,flow\nA,B,1\nB,C,2\nA,A,1\n")
    (tmp_path / "own.yaml").write_text(
        "economy: {kind: given}\nnetwork: {kind: imported, firms: firms.csv, links: links.csv}\n"
    )
    code, _, err = typed("run", "own.yaml")
    assert code == 2
    assert "links.csv:3: client 'C' is not among the firms" in err
    assert "links.csv:4: firm 'A' supplies itself" in err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("name", ["nothing.yaml", "configs", "no/such/place.yaml", "mainstreet"])
def test_a_missing_scenario_says_what_ships(typed, name):
    code, _, err = typed("run", name)
    assert code == 2
    assert name in err
    assert "main_street" in err


def test_an_interrupted_run_writes_nothing(typed, tmp_path, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ecosim.report.figure.draw", interrupted)
    code, _, err = typed("run", "tiny", "--out", "half", "--quiet")
    assert code == 130
    assert "nothing was written" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["../evil", "/tmp/x", "a/b", ".", "..", "e" * 300, "é" * 200, "a\nb", "a\0b", "", " ", "-rf", "\ud800", ".hid"],
)
def test_any_name_makes_a_folder_inside_runs(name):
    made = safe_name(name)
    assert re.fullmatch(r"[\w][\w.-]*", made)
    assert len(made) <= 80
    assert len(made.encode()) <= 200
    assert (Path("/a/runs") / made).parent == Path("/a/runs")


def test_a_hostile_name_stays_inside_runs(typed, tmp_path):
    assert typed("run", "tiny", "--days", "31", "--quiet", "--set", "name=../../evil")[0] == 0
    assert typed("run", "tiny", "--days", "31", "--quiet", "--set", "name=two shops")[1] == "runs/two_shops\n"
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"evil", "two_shops"}


@pytest.mark.parametrize("place", ["file/run", "dangling", "x" * 300, "/proc/run", "/dev/null/run"])
def test_a_place_that_cannot_be_written_is_told_before_the_run(typed, tmp_path, monkeypatch, place):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dangling").symlink_to("nowhere")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr("ecosim.paired.finish", lambda *_, **__: pytest.fail("it ran for ten minutes first"))
    code, out, err = typed("run", "tiny", "--quiet", "--out", place)
    assert (code, out) == (2, "")
    assert re.fullmatch(r"error: \S+: (cannot be written \(.+\)|a link stands there); choose another with --out\n", err)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_full_disk_is_told_and_nothing_is_left(typed, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/.tiny-1/figure.png")

    monkeypatch.setattr("ecosim.report.figure.draw", full)
    code, _, err = typed("run", "tiny", "--quiet")
    assert code == 2
    assert err == "error: runs/tiny: cannot be written (No space left on device); choose another with --out\n"
    assert list(tmp_path.iterdir()) == []
    assert UNFINISHED == []


@pytest.mark.parametrize(
    "fault", [MemoryError("Unable to allocate 7 TiB"), OSError(errno.EIO, "Input/output error", "x")]
)
def test_what_the_machine_lacks_is_told_without_a_traceback(typed, tmp_path, monkeypatch, fault):
    def failing(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr("ecosim.paired.finish", failing)
    code, _, err = typed("run", "tiny", "--quiet")
    assert code == 2
    assert err.startswith(
        "error: not enough memory (Unable to" if isinstance(fault, MemoryError) else "error: x: Input/"
    )
    assert list(tmp_path.iterdir()) == []


def test_two_runs_at_once_take_two_folders(typed, tmp_path, monkeypatch):
    """The other run takes the name while this one is drawing."""

    def overtaken(*given: object) -> None:
        Path(str(given[-1])).write_bytes(b"a figure")
        (tmp_path / "runs" / "tiny").mkdir()
        (tmp_path / "runs" / "tiny" / "summary.json").write_text("theirs")

    monkeypatch.setattr("ecosim.report.figure.draw", overtaken)
    assert typed("run", "tiny", "--quiet")[1] == "runs/tiny-2\n"
    assert [path.name for path in (tmp_path / "runs" / "tiny").iterdir()] == ["summary.json"]
    assert ecosim.Result.load("runs/tiny-2").summary["name"] == "tiny"


def test_the_time_told_is_that_of_the_whole_command(typed, monkeypatch):
    def slow(*given: object) -> None:
        time.sleep(1.5)
        Path(str(given[-1])).write_bytes(b"a figure")

    typed("run", "tiny", "--quiet", "--days", "31")  # imports and compiles
    monkeypatch.setattr("ecosim.report.figure.draw", slow)
    started = time.perf_counter()
    _, out, _ = typed("run", "tiny", "--days", "31")
    told = float(re.search(r"in ([\d.]+) s; look at", out)[1])
    assert 1.5 <= told <= time.perf_counter() - started + 0.5


def test_schema_replaces_no_file_without_leave(typed, tmp_path):
    assert typed("schema", "--out", "s.json")[0] == 0
    assert json.loads((tmp_path / "s.json").read_text())
    (tmp_path / "s.json").write_text("mine")
    code, _, err = typed("schema", "--out", "s.json")
    assert code == 2
    assert "s.json: exists already; choose another with --out, or overwrite it with --force" in err
    assert (tmp_path / "s.json").read_text() == "mine"
    assert typed("schema", "--out", "s.json", "--force")[0] == 0
    assert json.loads((tmp_path / "s.json").read_text())
    (tmp_path / "link").symlink_to("s.json")
    (tmp_path / "dir").mkdir()
    for place in ("/proc/s.json", "no/s.json", "s.json/x", "link", "dir", "x" * 300):
        code, _, err = typed("schema", "--force", "--out", place)
        assert code == 2, place
        assert "choose another with --out" in err
    assert {path.name for path in tmp_path.iterdir()} == {"s.json", "link", "dir"}


# Interrupted and taken up again ---------------------------------------------------------------------------------------


@pytest.fixture
def ctrl_c(monkeypatch):
    """Press Ctrl-C during these days."""

    def press(*days: int) -> None:
        left, run_for = list(days), ecosim.Ecosystem.run_for

        def pressing(eco: ecosim.Ecosystem, duration: float) -> None:
            while left and eco.day + 1 == left[0]:
                left.pop(0)
                signal.raise_signal(signal.SIGINT)
            run_for(eco, duration)

        monkeypatch.setattr(ecosim.Ecosystem, "run_for", pressing)

    return press


def assert_same_run(one: str, other: str, **how: bool) -> None:
    a, b = ecosim.Result.load(one, **how), ecosim.Result.load(other, **how)
    for frame in FRAMES:
        pd.testing.assert_frame_equal(getattr(a, frame), getattr(b, frame), check_exact=True)
    assert a.summary == b.summary
    assert a.scenario == b.scenario
    as_typed = {"seconds": 0, "files": 0, "command": 0}  # what may differ: when, and how it was asked for
    assert {**a.manifest, **as_typed} == {**b.manifest, **as_typed}


def test_an_interrupted_run_goes_on_to_the_bit(typed, tmp_path, ctrl_c):
    assert typed("run", "tiny", "--quiet", "--out", "whole", "--seed", "4")[0] == 0
    ctrl_c(39, 90)
    code, out, err = typed("run", "tiny", "--quiet", "--seed", "4")
    assert (code, out) == (130, "")
    where = "runs/tiny.checkpoint.npz"
    assert err == f"interrupted after day 40 of 180; go on with: ecosim run --resume {where}\n"
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["tiny.checkpoint.npz"]
    code, _, err = typed("run", "--resume", where, "--quiet")
    assert code == 130
    assert f"after day 91 of 180; go on with: ecosim run --resume {where}\n" in err
    code, out, _ = typed("run", "--resume", where)
    assert code == 0
    assert "30 firms in 29 sectors" in out
    assert "Written to runs/tiny in" in out
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["tiny"]
    assert_same_run("whole", "runs/tiny")


def test_checkpoints_never_replace_each_other(typed, tmp_path, ctrl_c):
    for name in ("tiny", "tiny-2"):
        ctrl_c(3)
        assert f"runs/{name}.checkpoint.npz" in typed("run", "tiny", "--quiet")[2]
    for name in ("mine", "mine"):
        ctrl_c(3)
        assert f"{name}.checkpoint" in typed("run", "tiny", "--quiet", "--out", "mine")[2]
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "mine.checkpoint.npz", "mine.checkpoint-2.npz"}
    assert typed("run", "--quiet", "--resume", "mine.checkpoint-2.npz")[1] == "mine\n"
    assert typed("run", "--quiet", "--resume", "runs/tiny-2.checkpoint.npz", "--out", "else")[1] == "else\n"
    assert {path.name for path in tmp_path.iterdir()} == {"runs", "mine.checkpoint.npz", "mine", "else"}


def test_ctrl_c_on_the_last_day_keeps_the_run_too(typed, ctrl_c):
    typed("run", "tiny", "--quiet", "--days", "40", "--out", "whole")
    ctrl_c(39)
    code, _, err = typed("run", "tiny", "--quiet", "--days", "40")
    assert code == 130
    assert "after day 40 of 40; go on with" in err
    assert typed("run", "--quiet", "--resume", "runs/tiny.checkpoint.npz")[0] == 0
    assert_same_run("whole", "runs/tiny")


@pytest.mark.parametrize("days", [(0, 0), (39, 39)])
def test_a_second_ctrl_c_stops_at_once_and_leaves_nothing(typed, tmp_path, ctrl_c, days):
    ctrl_c(*days)
    code, out, _ = typed("run", "tiny", "--quiet")
    assert (code, out) == (130, "")
    assert list(tmp_path.iterdir()) == []


OWN_AGENTS = """
import os
import ecosim
class Own(ecosim.SMB):
    def setup(self):
        self.worry = self.random.random()
        self.seen = set() if "ODD" in os.environ else []
    def order(self):
        self.worry = 0.9 * self.worry + 0.1 * self.random.random()
        if "WRONG" in os.environ:
            raise ecosim.InputError("Own.order() returned nothing; return amounts")
        return super().order() * (1.0 - 0.1 * self.worry)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_agents_of_a_test.py").write_text(OWN_AGENTS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_agents_of_a_test", raising=False)
    return ("run", "tiny", "--quiet", "--days", "60", "--set", "economy.agents=[{type: 'own_agents_of_a_test:Own'}]")


def test_a_run_of_ones_own_classes_goes_on_where_they_are_allowed(typed, tmp_path, ctrl_c, own):
    assert typed(*own, "--out", "whole")[0] == 0
    ctrl_c(39)
    code, _, err = typed(*own)
    assert code == 130
    assert err.endswith("ecosim run --resume runs/tiny.checkpoint.npz --allow-code\n")
    code, _, err = typed("run", "--resume", "runs/tiny.checkpoint.npz")
    assert code == 2
    assert "--allow-code" in err
    assert (tmp_path / "runs" / "tiny.checkpoint.npz").exists()
    assert typed("run", "--resume", "runs/tiny.checkpoint.npz", "--allow-code", "--quiet")[1] == "runs/tiny\n"
    assert_same_run("whole", "runs/tiny", allow_code=True)


def test_what_cannot_be_saved_is_told(typed, tmp_path, ctrl_c, own, monkeypatch):
    monkeypatch.setenv("ODD", "1")
    ctrl_c(39)
    code, _, err = typed(*own)
    assert code == 130
    assert "interrupted after day 40 of 60; it cannot be saved to go on later: agent" in err
    assert not (tmp_path / "runs").exists()


def test_a_mistake_in_ones_own_class_is_told_without_a_traceback(typed, tmp_path, own, monkeypatch):
    monkeypatch.setenv("WRONG", "1")
    code, _, err = typed(*own)
    assert (code, err) == (2, "error: Own.order() returned nothing; return amounts\n")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("words", [["tiny"], ["--set", "days=3"], ["--seed", "0"], ["--days", "3"]])
def test_a_resumed_run_takes_no_changes(typed, words):
    code, _, err = typed("run", "--resume", "some.npz", *words)
    assert code == 2
    assert "--resume goes on with the run as it was begun; leave out" in err


# The process: signals and streams -------------------------------------------------------------------------------------

COMMAND = (sys.executable, "-m", "ecosim")


STARTED = """
import sys
print("on", flush=True)
sys.argv = ["ecosim", "run", "main_street", "--quiet", "--days", "100000"]
from ecosim.cli import main
main()
"""


@pytest.mark.parametrize("after", [0.2, 0.4, 0.6, 1.0, 1.5])  # before 0.1 s, Python itself is still starting
def test_ctrl_c_at_any_moment_ends_with_one_line(tmp_path, after):
    with subprocess.Popen(
        [sys.executable, "-c", STARTED], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "on\n"
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.count("\n") == 1
    assert err.startswith("interrupted")
    kept = ["runs", "main_street.checkpoint.npz"] if "go on with" in err else []
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted(kept)


def test_ctrl_c_in_the_very_first_import_is_told_too(tmp_path):
    (tmp_path / "typer.py").write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n")
    done = subprocess.run(
        [*COMMAND, "run"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


WRITING = """
import os, signal, sys
from ecosim import cli
from ecosim.report import figure
figure.draw = lambda *given: (print("drawing", flush=True), signal.pause())
sys.argv[1:] = ["run", "tiny", "--quiet", "--days", "31"]
cli.main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_writing_leaves_nothing(tmp_path, number, code):
    with subprocess.Popen(
        [sys.executable, "-c", WRITING], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "drawing\n"
        assert list((tmp_path / "runs").iterdir()), "a hidden folder"
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", ["data list", "schema", "run tiny --days 31"])
def test_a_reader_that_has_read_enough_is_no_error(tmp_path, words):
    with subprocess.Popen(
        [*COMMAND, *words.split()], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert [line for line in said.splitlines() if "which ships with" not in line] == []


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_name_that_the_terminal_cannot_show_is_no_error(tmp_path, quiet):
    done = subprocess.run(
        [*COMMAND, "run", "tiny", "--days", "31", "--set", "name=café", *quiet],
        cwd=tmp_path, capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert b"runs/caf" in done.stdout
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["café"]


def test_schema_accepts_every_shipped_scenario(typed):
    code, out, _ = typed("schema")
    assert code == 0
    schema = json.loads(out)
    validator = jsonschema.Draft202012Validator(schema)
    for path in sorted(CONFIGS.glob("*.yaml")):
        validator.validate(YAML(typ="safe").load(path.read_text()))
    assert not validator.is_valid({"dayz": 3})


def test_data_commands_tell_source_and_terms(typed):
    code, out, _ = typed("data", "list")
    assert code == 0
    assert {"us", "hun", "World Input-Output Database"} <= {
        word for word in ("us", "hun", "World Input-Output Database") if word in out
    }
    code, out, _ = typed("data", "show", "us", "--industries", "15")
    assert code == 0
    assert "Manufacturing" in out
    assert "public domain" in out
    code, _, err = typed("data", "show", "atlantis")
    assert code == 2
    assert "atlantis" in err


def test_bench_prints_the_engine_beside_the_bare_kernel(typed):
    code, out, _ = typed("bench", "--sizes", "200,400", "--days", "3")
    assert code == 0
    assert out.count("in a cascade") >= 2
    assert "bare kernel" in out
    code, out, _ = typed("bench", "elsewhere")
    assert code == 0
    assert "benchmarks/peers/compare.py" in out
    for words, named in ((["--sizes", "many"], "many"), (["--sizes", "²"], "²"), (["weather"], "startup, day, memory")):
        code, _, err = typed("bench", *words)
        assert code == 2
        assert named in err


def test_help_is_quick_because_nothing_heavy_is_imported():
    heavy = {"mesa", "numba", "pandas", "networkx", "matplotlib", "scipy", "pydantic", "numpy", "rich", "solara"}
    code = (
        "import sys\nfrom ecosim.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print('loaded:', sorted({heavy!r} & set(sys.modules)))"
    )
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []", f"after {time.perf_counter() - started:.2f} s"
