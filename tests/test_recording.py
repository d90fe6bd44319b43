"""Columns recorded every day: the very values, constant memory, whole or not there, the same after an interruption."""

from __future__ import annotations

import gc
import re
import resource
import shutil
import signal
import tracemalloc
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ecosim
from ecosim import Ecosystem, InputError, Result, recording
from ecosim.folders import UNFINISHED
from ecosim.paired import RunStopped, finish, run
from ecosim.recording import Recorder
from ecosim.result import DAILY, FILES, FRAMES

TINY = ecosim.load("tiny").with_({"days": 60})
SOME = ("production", "demand")


@pytest.fixture(autouse=True)
def undrawn(monkeypatch):
    """Draw nothing worth the time."""
    monkeypatch.setattr("ecosim.report.figure.draw", lambda *given: Path(given[-1]).write_bytes(b"a figure"))


@pytest.fixture(params=[None, 7], ids=["one block", "blocks of 7 days"])
def blocks(request, monkeypatch):
    """Blocks as they are for so few firms, and some that end in the middle of things."""
    if request.param:
        monkeypatch.setattr(recording, "DAYS", request.param)
        monkeypatch.setattr(recording, "ROWS", 1)
    return request.param


@pytest.fixture
def ctrl_c(monkeypatch):
    """Press Ctrl-C during these days."""

    def press(*days: int) -> None:
        left, run_for = list(days), Ecosystem.run_for

        def pressing(eco: Ecosystem, duration: float) -> None:
            while left and eco.day + 1 == left[0]:
                left.pop(0)
                signal.raise_signal(signal.SIGINT)
            run_for(eco, duration)

        monkeypatch.setattr(Ecosystem, "run_for", pressing)

    return press


@pytest.fixture
def no_day(monkeypatch):
    """Fail where a day is lived."""
    monkeypatch.setattr(Ecosystem, "run_for", lambda *_: pytest.fail("it lived before it looked"))


def by_hand(scenario, columns):
    """What stepping day by day gives, in the order of days and rows."""
    eco = Ecosystem(scenario)
    days = []
    for day in range(scenario.days):
        eco.run_for(1)
        rows = eco.world.firms.rows
        values = {name: eco.world.firms.columns[name].copy() for name in columns}
        days.append(
            pd.DataFrame({"day": np.full(rows, day, np.int32), "row": np.arange(rows, dtype=np.int32), **values})
        )
    return pd.concat(days, ignore_index=True)


def in_order(daily):
    return daily.sort_values(["day", "row"], ignore_index=True)


def names_in(folder):
    return sorted(path.name for path in Path(folder).iterdir())


# What is recorded -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", [SOME, "production,demand", ["production, demand", "production"]])
def test_what_is_recorded_is_what_stepping_by_hand_gives(tmp_path, blocks, record):
    result = run(TINY, record=record, daily=tmp_path / "days.parquet")
    pd.testing.assert_frame_equal(in_order(result.daily), by_hand(TINY, SOME), check_exact=True)
    groups = pq.ParquetFile(tmp_path / "days.parquet").metadata.num_row_groups
    assert groups == (9 if blocks else 1)
    assert result.manifest["recorded"] == list(SOME)
    assert names_in(tmp_path) == ["days.parquet"]


def test_all_columns_can_be_recorded(tmp_path, blocks):
    columns = tuple(Ecosystem(TINY).world.firms.columns)
    result = run(TINY, record="all", daily=tmp_path / "days.parquet")
    assert tuple(result.daily)[2:] == columns
    pd.testing.assert_frame_equal(in_order(result.daily), by_hand(TINY, columns), check_exact=True)
    assert "failed_on" in columns
    assert np.isinf(Ecosystem(TINY).world.firms.ceiling).all(), "infinity is written, too"


def test_rows_are_those_of_the_frame_of_firms(tmp_path):
    result = run(TINY, record="production", daily=tmp_path / "days.parquet")
    made = result.daily.groupby("row")["production"].sum()
    np.testing.assert_allclose(made, result.firms["produced"], rtol=1e-12)
    joined = result.daily.join(result.firms["firm"], on="row")
    bakery = joined[joined["firm"] == "Bakery"]
    assert bakery["day"].tolist() == list(range(60))
    below = bakery["production"] < 0.5 * result.firms.set_index("firm")["output"]["Bakery"]
    assert below.any()
    assert bakery["day"][below].iloc[0] == result.firms.set_index("firm")["failed_on"]["Bakery"]
    part = pd.read_parquet(result.recorded, columns=["row", "production"], filters=[("day", "==", 30)])
    assert part["row"].tolist() == list(range(30))


def test_recording_changes_nothing_of_the_run(tmp_path):
    plain, recorded = run(TINY), run(TINY, record="all", daily=tmp_path / "days.parquet")
    for frame in FRAMES:
        pd.testing.assert_frame_equal(getattr(plain, frame), getattr(recorded, frame), check_exact=True)
    assert plain.summary == recorded.summary


def test_a_column_that_was_added_can_be_recorded(tmp_path):
    eco = Ecosystem(TINY)
    eco.world.firms.add("worry", np.arange(30.0))
    with Recorder(tmp_path / "days.parquet", "worry") as recorder:
        recorder.begin(eco)
        result = finish(eco, recorder=recorder)
    assert in_order(result.daily)["worry"].tolist() == list(range(30)) * 60


def test_a_column_that_is_called_like_a_key_is_refused(tmp_path):
    eco = Ecosystem(TINY)
    eco.world.firms.add("day")
    with Recorder(tmp_path / "days.parquet", "day") as recorder, pytest.raises(InputError, match="no column 'day'"):
        recorder.begin(eco)


def test_the_file_says_what_its_columns_are(tmp_path):
    run(TINY, record="production", daily=tmp_path / "days.parquet")
    schema = pq.read_schema(tmp_path / "days.parquet")
    assert [str(field.type) for field in schema] == ["int32", "int32", "double"]
    assert schema.field("production").metadata[b"description"] == b"made today, currency units a day"


def test_a_year_of_a_calm_economy_is_compressed(tmp_path):
    calm = ecosim.load("main_street").with_({"shocks": [], "days": 365})
    result = run(calm, record=SOME, daily=tmp_path / "days.parquet")
    assert result.recorded.stat().st_size < 0.05 * recording.at_most(2000, 365, 2)


def test_what_nothing_compresses_takes_no_more_than_was_said(tmp_path):
    eco = Ecosystem(TINY)
    firms = 200_000
    fake = SimpleNamespace(
        world=SimpleNamespace(firms=SimpleNamespace(columns={}, rows=firms), day=-1),
        scenario=SimpleNamespace(days=10, digest=eco.scenario.digest), seed=1, replicate=0, day=-1,
    )  # fmt: skip
    rng = np.random.default_rng(1)
    fake.world.firms.columns["noise"] = rng.random(firms)
    with Recorder(tmp_path / "days.parquet", "noise") as recorder:
        recorder.begin(fake)
        for fake.world.day in range(10):
            fake.world.firms.columns["noise"] = rng.integers(0, 2**63, firms).view(np.float64)
            recorder.note(fake.world)
        recorder.close()
    assert 0.85 < (tmp_path / "days.parquet").stat().st_size / recording.at_most(firms, 10, 1) <= 1


def test_memory_does_not_grow_with_the_days(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "ROWS", 1)
    scenario = ecosim.load("main_street").with_({"economy.firms": 1000, "days": 240})
    run(scenario.with_({"days": 31}))  # compiled
    taken = []
    tracemalloc.start()
    try:
        run(
            scenario, record="all", daily=tmp_path / "days.parquet",
            progress=lambda *_: taken.append(tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes()),
        )  # fmt: skip
    finally:
        tracemalloc.stop()
    recorded = recording.at_most(1000, 240, 17)
    assert recorded > 30e6
    assert max(taken) - max(taken[:40]) < 0.03 * recorded


# What is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", ["prodction", "production,", "day", "production,row"])
def test_a_column_that_firms_have_not_is_refused_before_the_first_day(typed, tmp_path, no_day, record):
    code, out, err = typed("run", "tiny", "--quiet", "--record", record)
    wrong = {"prodction": "prodction", "production,": "", "day": "day", "production,row": "row"}[record]
    assert (code, out) == (2, "")
    assert err.startswith(f"error: --record: firms have no column {wrong!r}; give all, or some of output, ")
    assert "production" in err
    assert names_in(tmp_path) == []
    with pytest.raises(InputError, match=f"^record: firms have no column {wrong!r}"):
        run(TINY, record=record, daily="days.parquet")
    assert names_in(tmp_path) == []


def test_a_disk_without_room_is_refused_before_the_first_day(typed, tmp_path, no_day, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=91_000))
    code, out, err = typed("run", "tiny", "--quiet", "--record", "production,demand", "--days", "200")
    assert (code, out) == (2, "")
    assert err == (
        "error: --record: production, demand of 30 firms on 200 days take up to 0.1 MB, and 91.0 kB are free at "
        "runs/tiny; record fewer columns or days, or choose another with --out\n"
    )
    assert names_in(tmp_path) == []
    with pytest.raises(InputError, match=r"^record: .* free at days\.parquet; .* or choose another file$"):
        run(TINY.with_({"days": 200}), record=SOME, daily="days.parquet")
    assert names_in(tmp_path) == []


def test_what_just_fits_is_recorded(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    needed = recording.at_most(30, 60, 2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=needed))
    run(TINY, record=SOME, daily=tmp_path / "days.parquet")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=needed - 1))
    with pytest.raises(InputError, match="take up to"):
        run(TINY, record=SOME, daily=tmp_path / "other.parquet")


@pytest.fixture(params=[(60, 20_000), (7, 20_000), (1, 120_000)], ids=["one block", "some", "a long footer"])
def small_files(request, monkeypatch):
    """Let no file grow beyond some bytes: to the program it is a disk that is full."""
    days, limit = request.param
    monkeypatch.setattr(recording, "DAYS", days)
    monkeypatch.setattr(recording, "ROWS", 1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    run(TINY.with_({"days": 31}), rng=2)  # compiled
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_in_the_middle_is_told_and_nothing_is_left(typed, tmp_path, small_files):
    told = (
        r"no room for the recorded days \(File too large\); make room, record fewer columns or days, or choose another"
    )
    code, out, err = typed("run", "tiny", "--quiet", "--record", "all")
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"error: runs/tiny: {told} with --out\n", err)
    assert names_in(tmp_path) == []
    with pytest.raises(InputError, match=rf"^days\.parquet: {told} file$"):
        run(TINY, record="all", daily="days.parquet")
    assert names_in(tmp_path) == []
    assert UNFINISHED == []
    gc.collect()  # a writer that tries once more would be told as a warning


def test_record_and_daily_go_together():
    for given in ({"record": "production"}, {"daily": "days.parquet"}):
        with pytest.raises(InputError, match="record and daily go together"):
            run(TINY, **given)


@pytest.mark.parametrize("place", ["there.parquet", "no/days.parquet", "/proc/days.parquet", "folder"])
def test_a_file_that_cannot_be_made_is_told_before_the_economy_is_built(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.parquet").write_text("mine")
    (tmp_path / "folder").mkdir()
    before = names_in(tmp_path)
    monkeypatch.setattr("ecosim.paired.Ecosystem", lambda *_, **__: pytest.fail("it was built"))
    with pytest.raises(InputError, match="choose another file"):
        run(TINY, record="production", daily=place)
    assert names_in(tmp_path) == before
    assert (tmp_path / "there.parquet").read_text() == "mine"


def test_a_result_without_recorded_days_says_how_to_get_them(tmp_path):
    with pytest.raises(InputError, match="no days were recorded; run again with record="):
        _ = run(TINY).daily
    result = run(TINY, record="production", daily=tmp_path / "days.parquet")
    (tmp_path / "days.parquet").unlink()
    for what in (lambda: result.daily, lambda: result.save(tmp_path / "run")):
        with pytest.raises(InputError, match=r"days\.parquet: the recorded days are gone"):
            what()
    assert names_in(tmp_path) == []


# In the folder of a run -----------------------------------------------------------------------------------------------


def test_the_command_records_into_its_folder(typed, tmp_path):
    code, out, err = typed("run", "tiny", "--record", "production", "--record", "demand", "--days", "60")
    assert code == 0
    assert "Recording production, demand of 30 firms on 60 days: at most 30.6 kB, as a rule less than half\n" in err
    assert "Written to runs/tiny" in out
    assert names_in("runs/tiny") == sorted({*FILES, *CAUSES, DAILY})
    result = Result.load("runs/tiny")
    pd.testing.assert_frame_equal(in_order(result.daily), by_hand(TINY, SOME), check_exact=True)
    assert typed("run", "tiny", "--record", "lost", "--days", "31", "--quiet")[1:] == (
        "runs/tiny-2\n",
        "",
    )


def test_a_result_takes_its_days_along(tmp_path):
    result = run(TINY, record=SOME, daily=tmp_path / "days.parquet")
    loaded = Result.load(result.save(tmp_path / "run"))
    assert loaded.recorded == tmp_path / "run" / DAILY
    pd.testing.assert_frame_equal(loaded.daily, result.daily, check_exact=True)
    again = Result.load(loaded.save(tmp_path / "again"))
    pd.testing.assert_frame_equal(again.daily, result.daily, check_exact=True)
    with pytest.raises(InputError, match="no days were recorded"):
        _ = Result.load(run(TINY).save(tmp_path / "plain")).daily


@pytest.mark.parametrize("harm", ["changed", "missing", "foreign"])
def test_days_that_are_not_those_of_the_run_are_refused(tmp_path, harm):
    result = run(TINY, record="production", daily=tmp_path / "days.parquet")
    folder = (run(TINY) if harm == "foreign" else result).save(tmp_path / "run")
    if harm == "missing":
        (folder / DAILY).unlink()
    else:
        (folder / DAILY).write_bytes(result.recorded.read_bytes() + b"more")
    with pytest.raises(
        InputError, match=r"manifest\.json: damaged" if harm == "foreign" else r"daily\.parquet: changed"
    ):
        Result.load(folder)


def test_results_with_and_without_days_replace_each_other(typed, tmp_path):
    for words in ([], ["--record", "production"], ["--record", "demand"], []):
        assert typed("run", "tiny", "--days", "31", "--quiet", "--out", "run", "--force", *words)[0] == 0
        assert names_in("run") == sorted({*FILES, *CAUSES, DAILY} if words else {*FILES, *CAUSES})
        assert names_in(tmp_path) == ["run"]


def test_a_folder_that_only_holds_days_is_never_replaced(typed, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / DAILY).write_text("mine")
    assert "not the folder of a run" in typed("run", "tiny", "--out", "run", "--force", "--record", "demand")[2]
    assert (tmp_path / "run" / DAILY).read_text() == "mine"


# Interrupted and taken up again ---------------------------------------------------------------------------------------

RECORDED = ("run", "tiny", "--quiet", "--days", "60", "--record", "production,ceiling")
CAUSES = ("lineage.parquet", "debts.parquet")
KEPT = ["tiny.checkpoint.daily.parquet", "tiny.checkpoint.npz"]


@pytest.mark.parametrize("days", [(40, 45), (0, 59), (6, 7), (59,)])
def test_an_interrupted_run_records_on_to_the_bit(typed, tmp_path, ctrl_c, blocks, days):
    assert typed(*RECORDED, "--out", "whole")[0] == 0
    ctrl_c(*days)
    words = RECORDED
    for day in days:
        code, out, err = typed(*words)
        assert (code, out) == (130, "")
        assert err == (
            f"interrupted after day {day + 1} of 60; go on with: ecosim run --resume runs/tiny.checkpoint.npz\n"
        )
        assert names_in("runs") == KEPT
        assert pq.read_metadata("runs/tiny.checkpoint.daily.parquet").num_rows == 30 * (day + 1)
        words = ("run", "--quiet", "--resume", "runs/tiny.checkpoint.npz")
    assert typed(*words)[1] == "runs/tiny\n"
    assert names_in("runs") == ["tiny"]
    assert Path("runs/tiny", DAILY).read_bytes() == Path("whole", DAILY).read_bytes()
    pd.testing.assert_frame_equal(
        in_order(Result.load("runs/tiny").daily), by_hand(TINY, ("production", "ceiling")), check_exact=True
    )


def test_days_that_the_checkpoint_has_not_lived_do_no_harm(typed, ctrl_c):
    """The days are put down first: a machine that stops between the two leaves a pair that goes on."""
    typed(*RECORDED, "--out", "whole")
    ctrl_c(20, 40)
    typed(*RECORDED)
    before = Path("runs", KEPT[1]).read_bytes()
    typed("run", "--resume", "runs/tiny.checkpoint.npz")
    Path("runs", KEPT[1]).write_bytes(before)
    assert typed("run", "--quiet", "--resume", "runs/tiny.checkpoint.npz")[0] == 0
    assert Path("runs/tiny", DAILY).read_bytes() == Path("whole", DAILY).read_bytes()


def test_a_checkpoint_goes_on_only_with_its_own_days(typed, ctrl_c):
    ctrl_c(20)
    typed(*RECORDED)
    ctrl_c(20)
    typed(*RECORDED, "--seed", "5", "--out", "other")
    ctrl_c(10)
    typed(*RECORDED, "--out", "early")
    days = Path("runs", KEPT[0])
    good = days.read_bytes()
    spoilt = {
        "no such file; it holds the days recorded before": None,
        "not the recorded days of a run, or damaged": good[:-100],
        "recorded by another run": Path("other.checkpoint.daily.parquet").read_bytes(),
        "it ends on day 11, and 21 were lived": Path("early.checkpoint.daily.parquet").read_bytes(),
    }
    for told, content in spoilt.items():
        days.unlink(missing_ok=True)
        if content is not None:
            days.write_bytes(content)
        code, out, err = typed("run", "--quiet", "--resume", "runs/tiny.checkpoint.npz")
        assert (code, out) == (2, ""), told
        assert err.startswith("error: runs/tiny.checkpoint.daily.parquet: ")
        assert told in err
        assert names_in("runs") == (KEPT if content is not None else KEPT[1:])
    days.write_bytes(good)
    assert typed("run", "--quiet", "--resume", "runs/tiny.checkpoint.npz")[0] == 0


def test_a_bit_that_flipped_in_what_was_recorded_is_never_passed_on(tmp_path):
    eco = Ecosystem(TINY)
    with Recorder(tmp_path / "days.parquet", "production") as recorder:
        recorder.begin(eco)
        eco.run_for(1)
        recorder.note(eco.world)
        recorder.close()
    good = (tmp_path / "days.parquet").read_bytes()
    held = pq.read_metadata(tmp_path / "days.parquet").row_group(0).column(2)
    for place in range(held.data_page_offset, held.data_page_offset + held.total_compressed_size):
        content = bytearray(good)
        content[place] ^= 4
        (tmp_path / "days.parquet").write_bytes(content)
        again = tmp_path / f"{place}.parquet"
        with suppress(InputError), Recorder(again, after=tmp_path / "days.parquet") as recorder:
            recorder.begin(eco)
            recorder.close()  # it was in what nobody reads
            assert again.read_bytes() == good


def test_kept_days_never_replace_each_other(typed, tmp_path, ctrl_c):
    (tmp_path / "mine.checkpoint.daily.parquet").write_text("mine")
    for _ in range(2):
        ctrl_c(3)
        assert "mine.checkpoint-" in typed(*RECORDED, "--out", "mine")[2]
    pairs = [f"mine.checkpoint-{at}.{end}" for at in (2, 3) for end in (DAILY, "npz")]
    assert names_in(tmp_path) == sorted([*pairs, "mine.checkpoint.daily.parquet"])
    assert (tmp_path / "mine.checkpoint.daily.parquet").read_text() == "mine"
    assert typed("run", "--quiet", "--resume", "mine.checkpoint-3.npz")[1] == "mine\n"
    assert names_in(tmp_path) == sorted(["mine", *pairs[:2], "mine.checkpoint.daily.parquet"])
    assert len(Result.load("mine").daily) == 30 * 60


@pytest.mark.parametrize("fault", ["Ctrl-C again", "what cannot be saved"])
def test_an_interruption_that_keeps_nothing_leaves_nothing(typed, tmp_path, ctrl_c, monkeypatch, fault):
    ctrl_c(*((20, 20) if fault == "Ctrl-C again" else (20,)))
    if fault != "Ctrl-C again":

        def refused(*_):
            raise InputError("no")

        monkeypatch.setattr(Ecosystem, "save", refused)
    assert typed(*RECORDED)[0] == 130
    assert names_in(tmp_path) == []


def test_a_resumed_run_records_what_it_recorded(typed):
    code, _, err = typed("run", "--resume", "some.npz", "--record", "production")
    assert code == 2
    assert "--resume goes on with the run as it was begun; leave out --record" in err


def test_a_run_that_is_stopped_in_python_keeps_its_days_and_goes_on(tmp_path, blocks):
    whole = run(TINY, record=SOME, daily=tmp_path / "whole.parquet")
    lived = []
    with pytest.raises(RunStopped) as stopped:
        run(
            TINY, record=SOME, daily=tmp_path / "half.parquet",
            progress=lambda done, _: lived.append(done), stop=lambda: lived[-1] == 33,
        )  # fmt: skip
    assert len(pd.read_parquet(tmp_path / "half.parquet")) == 30 * 33
    with Recorder(tmp_path / "rest.parquet", after=tmp_path / "half.parquet") as recorder:
        recorder.begin(stopped.value.eco)
        result = finish(stopped.value.eco, recorder=recorder)
    assert result.recorded.read_bytes() == whole.recorded.read_bytes()
    assert result.manifest["recorded"] == list(SOME)
