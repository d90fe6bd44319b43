"""What a validation is made of, how it is told and asked for; and the default world: what is measured of it."""

import csv
import io
import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

import ecosim
from ecosim.cli import app
from ecosim.errors import InputError
from ecosim.report.validation import FIELDS, rows, tolerance
from ecosim.validation import SUBJECTS, Check, Subject, default_world
from ecosim.validation.default_world import AGES, Lived


def test_a_check_is_met_within_its_tolerance_only():
    check = Check("days", "days", 10, 8, 12, 12, 5, "somebody")
    assert check.passed
    for missed in (7.9, 12.1, math.nan):
        assert not Check("days", "days", 10, 8, 12, missed, 5, "somebody").passed
    assert check.judged
    assert not Check("days", "days", 10, 8, 12, 10, 5, "somebody", fewest=6).judged


def test_tolerances_are_shares_or_amounts_around_what_is_expected():
    share = Check.within("a", -20.0, -19.5, 3, "somebody", relative=0.03)
    assert (share.low, share.high) == (-20.6, -19.4)
    amount = Check.within("a", 0.5, 0.53, 3, "somebody", absolute=0.02)
    assert (amount.low, amount.high) == (0.48, 0.52)
    assert (share.passed, amount.passed) == (True, False)
    nothing = Check.at_most("a", 1e-9, -1e-12, 3, "somebody")  # a difference is never negative
    assert not nothing.passed
    assert Check.at_most("a", 1e-9, 1e-9, 3, "somebody", tests="library").passed


def test_tolerances_are_told_so_that_none_looks_like_nothing():
    said = [
        (Check.within("a", 2.0, 2.0, 1, "b", relative=1e-9), "± 2e-09"),
        (Check.within("a", 100.0, 1.5, 1, "b", relative=0.03), "97 to 103"),
        (Check.at_most("a", 1e-12, 0.0, 1, "b"), "0 to 1e-12"),
        (Check("a", "", 2.0, 2.0, math.inf, 3.0, 1, "b"), "at least 2"),
        (Check("a", "", -2.5, -5, -0.5, 3.0, 1, "b"), "-5 to -0.5"),
    ]
    for check, expected in said:
        assert tolerance(check) == expected


def test_rows_for_other_programs_have_no_value_that_json_lacks():
    row = rows("some", [Check("a", "", 2.0, 2.0, math.inf, math.nan, 1, "b")])[0]
    assert tuple(row) == FIELDS
    assert (row["subject"], row["high"], row["measured"], row["low"]) == ("some", None, None, 2.0)
    assert row["passed"] is False
    json.dumps(row, allow_nan=False)


def test_survival_is_the_life_table_of_what_was_seen():
    lived = Lived(None, 1.0, np.zeros(0), np.zeros(AGES), np.zeros(AGES))
    lived.exposure[:3], lived.exits[:3] = (100, 50, 20), (20, 5, 1)
    assert lived.survival(1) == pytest.approx(math.exp(-0.2))
    assert lived.survival(3) == pytest.approx(math.exp(-0.2 - 0.1 - 0.05))


def test_every_check_of_a_small_world_is_measured():
    checks = default_world(firms=150, years=1)
    assert len({check.what for check in checks}) == len(checks) == 13
    assert all(math.isfinite(check.measured) for check in checks)
    assert all(check.low <= check.expected <= check.high for check in checks)
    rest = next(check for check in checks if check.what.startswith("mean output"))
    eco = ecosim.Ecosystem(
        ecosim.load("default_world").with_({"shocks": [], "economy.firms": 150, "days": 365, "seed": 1})
    )
    eco.run_for(365)
    output = eco.series["total_production"]
    assert rest.measured == pytest.approx(output.iloc[1:].mean() / output.iloc[0], rel=1e-12)


def asked(*words):
    return CliRunner().invoke(app, ["validate", *words])


def some(checks, quick=None):
    """A subject that finds these checks, and notes with what it was asked."""

    def some_subject(**given):
        some_subject.given = given
        return checks

    return Subject(some_subject, quick)


def test_the_command_fails_where_a_check_is_missed(monkeypatch):
    good, bad = (Check("days", "days", 10, 8, 12, found, 5, "somebody") for found in (10, 20))
    thin = Check("days", "days", 10, 8, 12, 20, 5, "somebody", fewest=6)
    for checks, code, word in (([good], 0, "yes"), ([good, bad], 1, "NO"), ([good, thin], 0, "too few")):
        monkeypatch.setitem(SUBJECTS, "default-world", some(checks))
        done = asked("--only", "default-world")
        assert done.exit_code == code
        assert word in done.stdout
        assert "8 to 12" in done.stdout
        assert f"{len(checks)} checks, {code} missed" in done.stdout
        for form in ("--json", "--csv"):
            assert asked("--only", "default-world", form).exit_code == code


def test_the_command_tells_other_programs(monkeypatch):
    checks = [Check("days", "days", 10, 8, 12, found, 5, "somebody", tests="library") for found in (10, 20.5)]
    monkeypatch.setitem(SUBJECTS, "watts", some(checks, {}))
    told = json.loads(asked("--only", "watts", "--json").stdout)
    assert [row["passed"] for row in told] == [True, False]
    assert told == rows("some-subject", checks)
    lines = list(csv.DictReader(io.StringIO(asked("--only", "watts", "--csv").stdout)))
    assert [line["measured"] for line in lines] == ["10", "20.5"]
    assert lines[0]["tests"] == "library"


def test_quick_gives_quick_sizes_and_leaves_out_what_has_none(monkeypatch):
    subject, world = some([], {"firms": 3}), some([])
    for name in list(SUBJECTS):
        monkeypatch.delitem(SUBJECTS, name)
    monkeypatch.setitem(SUBJECTS, "some", subject)
    monkeypatch.setitem(SUBJECTS, "default-world", world)
    assert asked("--quick").exit_code == 0
    assert subject.measure.given == {"firms": 3}
    assert not hasattr(world.measure, "given")
    assert asked("--only", "some").exit_code == 0
    assert subject.measure.given == {}


def test_what_can_be_validated_is_listed_and_wrong_names_are_refused():
    listed = asked("--list").stdout
    assert all(f"\n{name} " in f"\n{listed}" for name in SUBJECTS)
    assert listed.count("(no quick form)") == 1
    for words, said in ((["--only", "wats"], "watts"), (["--only", "default-world", "--quick"], "drop --quick")):
        done = asked(*words)
        assert done.exit_code != 0
        assert isinstance(done.exception, InputError)
        assert said in str(done.exception)


def test_every_subject_has_a_story_a_script_and_a_quick_form_of_its_own_sizes():
    for name, subject in SUBJECTS.items():
        assert subject.name == name
        assert len(subject.story) > 20
        if subject.quick is not None:
            assert set(subject.quick) <= set(subject.measure.__kwdefaults__ or {})
