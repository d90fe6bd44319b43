"""``ecosim doctor``: what is missing is told with the mend, and only what is needed ends with 1."""

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from ecosim import compiling, health, provenance
from ecosim.health import Finding, examine, kernels, plain


def of(findings, what):
    return next(each for each in findings if each.what == what)


def test_here_nothing_that_is_needed_is_broken(typed):
    code, out, _ = typed("doctor")
    assert code == 0
    assert out.rstrip().endswith("Nothing that is needed is broken.")
    assert "data tables: 11 files as they were shipped" in out
    code, out, _ = typed("doctor", "--json")
    assert code == 0
    assert {each["what"] for each in json.loads(out)} >= {
        "Python",
        "ecosim",
        "extra cluster",
        "disk",
        "compiled kernels",
    }


def test_the_tested_versions_are_those_that_are_installed_here():
    required = [name for name, (_, scope) in health.tested().items() if scope == "required"]
    assert {"mesa", "numba", "numpy", "jinja2", "reportlab"} <= set(required)
    assert all(health.tested()[name][0] == metadata.version(name) for name in ("mesa", "numba", "numpy"))


def test_the_bill_of_materials_is_what_the_pins_give():
    script = Path(__file__).resolve().parent.parent / "scripts" / "sbom.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    bill = json.loads((script.parent.parent / "ecosim" / "sbom.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    known = {part["bom-ref"] for part in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert all(each["ref"] in known and set(each["dependsOn"]) <= known for each in bill["dependencies"])


def test_a_missing_library_is_broken_and_a_missing_extra_is_not(monkeypatch, typed):
    real = metadata.version

    def version(name):
        if name.lower() in {"reportlab", "salib", "dask"}:
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(health.metadata, "version", version)
    findings = examine()
    assert of(findings, "reportlab") == Finding("reportlab", "broken", "missing", "pip install 'reportlab>=4.2'")
    assert of(findings, "extra cluster").state == "note"
    assert of(findings, "extra cluster").mend == "pip install 'ecosim[cluster]'"
    assert of(findings, "extra analysis").found.lower().startswith("salib missing")
    code, out, _ = typed("doctor")
    assert code == 1
    assert "Broken: reportlab." in out


def test_another_version_than_was_tested_is_a_note(monkeypatch):
    real = metadata.version
    monkeypatch.setattr(health.metadata, "version", lambda name: "99.0" if name == "numba" else real(name))
    note = of(examine(), "libraries")
    assert note.state == "note"
    assert f"numba 99.0 (tested: {real('numba')})" in note.found


def test_a_library_that_is_too_old_is_broken(monkeypatch):
    real = metadata.version
    monkeypatch.setattr(health.metadata, "version", lambda name: "1.0" if name == "numpy" else real(name))
    assert of(examine(), "numpy") == Finding("numpy", "broken", "1.0, and >=2.1 is needed", "pip install 'numpy>=2.1'")


def test_a_changed_data_table_is_broken(monkeypatch, tmp_path):
    for name in provenance.data_sums():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((provenance._data() / name).read_bytes())
    (tmp_path / provenance.SUMS).write_bytes((provenance._data() / provenance.SUMS).read_bytes())
    monkeypatch.setattr(provenance, "_data", lambda: tmp_path)
    assert provenance.damaged_data() == []
    table = tmp_path / "bea" / "use_15.csv"
    table.write_text(table.read_text().replace("1", "2", 1))
    found = of(examine(), "data tables")
    assert found.state == "broken"
    assert "data file bea/use_15.csv has changed since" in found.found
    table.unlink()
    assert "data file bea/use_15.csv is gone" in of(examine(), "data tables").found


def test_every_data_file_that_ships_has_its_sum():
    home = provenance._data()
    shipped = {path.relative_to(home).as_posix() for path in home.rglob("*.*") if path.suffix in {".csv", ".json"}}
    assert set(provenance.data_sums()) == shipped


@pytest.mark.parametrize(("free", "state"), [(1e6, "broken"), (5e8, "note"), (5e9, "ok")])
def test_room_on_the_disk(monkeypatch, free, state):
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert of(examine(), "disk").state == state


def test_kernels_that_cannot_be_kept_are_told_with_the_mend(monkeypatch):
    kept, every, folder = kernels()
    assert 0 <= kept <= every
    assert every > 100
    assert folder is not None
    monkeypatch.setattr(health, "kernels", lambda: (0, every, Path("/proc/nowhere")))
    monkeypatch.setattr(health.os, "access", lambda *_: False)
    found = health._kernels()
    assert (found.state, found.mend) == ("note", "set NUMBA_CACHE_DIR to a folder of yours")
    monkeypatch.undo()
    monkeypatch.setattr(health, "kernels", lambda: (0, every, folder))
    assert "the first run takes up to a minute longer" in health._kernels().found


def test_findings_are_told_in_lines_and_in_json():
    found = Finding("disk", "note", "0.5 GB free here", "make room")
    assert str(found) == "note   disk: 0.5 GB free here\n       mend: make room"
    assert plain([found]) == [{"what": "disk", "state": "note", "found": "0.5 GB free here", "mend": "make room"}]


# --- the first run compiles -------------------------------------------------------------------------------------------


def event(*, start):
    return SimpleNamespace(is_start=start)


def test_a_long_compilation_is_told_once_and_a_short_one_not(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(compiling.time, "perf_counter", lambda: now[0])
    said = []
    clock = compiling.Compiling(lambda: said.append(now[0]))
    for _ in range(3):  # a third of a second each, one inside another
        clock.notify(event(start=True))
        now[0] += 0.2
        clock.notify(event(start=True))
        now[0] += 0.1
        clock.notify(event(start=False))
        clock.notify(event(start=False))
    assert said == []
    clock.notify(event(start=True))
    now[0] += 0.2
    clock.notify(event(start=True))
    assert len(said) == 1
    now[0] += 9.0
    assert clock.seconds() == pytest.approx(10.1)
    clock.notify(event(start=False))
    clock.notify(event(start=False))
    now[0] += 50.0
    clock.notify(event(start=True))
    assert len(said) == 1
    assert clock.seconds() == pytest.approx(10.1)


def test_of_all_processes_of_a_command_one_tells(monkeypatch, tmp_path, capfd):
    monkeypatch.setenv(compiling.ASKED, str(tmp_path / "told"))
    compiling.say()
    compiling.say()
    assert capfd.readouterr().err == f"{compiling.COMPILES}\n"


def test_only_a_command_tells(monkeypatch, capfd):
    monkeypatch.delenv(compiling.ASKED, raising=False)
    compiling.say()
    assert capfd.readouterr().err == ""


def test_numba_tells_of_what_it_compiles():
    import numba

    import ecosim.kernels  # noqa: F401 - which listens from then on

    before = compiling.clock.seconds()
    assert numba.njit(lambda x: x + 1)(1) == 2
    assert compiling.clock.seconds() > before


@pytest.mark.slow  # both compile
@pytest.mark.parametrize("command", ["run tiny --days 40", "sweep study.yaml --workers 2"])
def test_a_command_tells_once_that_it_compiles_here_or_in_its_processes(command, tmp_path):
    study = "{version: 1, scenario: tiny, set: {days: 40}, factors: {shocks.0.severity: [0.2, 0.8]}}\n"
    (tmp_path / "study.yaml").write_text(study)
    asked = subprocess.run(
        [sys.executable, "-m", "ecosim", *command.split()],
        cwd=tmp_path,
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "none yet")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (asked.returncode, asked.stderr.count(compiling.COMPILES)) == (0, 1), asked.stderr
