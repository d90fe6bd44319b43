"""The command line as a user types it: output, exit codes, and what is left on disk."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
from ruamel.yaml import YAML

import ecosim
from ecosim import cli

CONFIGS = Path(__file__).parent.parent / "configs"


@pytest.fixture
def typed(monkeypatch, capsys, tmp_path):
    """Type a command in an empty folder; return (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def type_(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ecosim", *words])
        code = 0
        try:
            cli.main()
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return type_


def test_the_first_command_of_the_readme_works_in_an_empty_folder(typed, tmp_path):
    code, out, err = typed("run", "configs/main_street.yaml")
    assert code == 0
    assert "which ships with ecosim" in err
    assert "2,000 firms in 15 sectors" in out
    assert "The bottom came on day" in out
    folder = tmp_path / "runs" / "main_street"
    names = {path.name for path in folder.iterdir()}
    frames = {"series.parquet", "firms.parquet", "links.parquet", "events.parquet"}
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
    assert out.count("in a cascade") == 2
    assert "bare kernel" in out
    code, _, err = typed("bench", "--sizes", "many")
    assert code == 2
    assert "many" in err


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
