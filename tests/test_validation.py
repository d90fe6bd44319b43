"""The validation of the default world: what it measures, and how it is told."""

import math

import numpy as np
import pytest
from typer.testing import CliRunner

import ecosim
from ecosim.cli import app
from ecosim.validation import SUBJECTS, Check, default_world
from ecosim.validation.default_world import AGES, Lived


def test_a_check_is_met_within_its_tolerance_only():
    check = Check("days", "days", 10, 8, 12, 12, 5, "somebody")
    assert check.passed
    for missed in (7.9, 12.1, math.nan):
        assert not Check("days", "days", 10, 8, 12, missed, 5, "somebody").passed
    assert check.judged
    assert not Check("days", "days", 10, 8, 12, 10, 5, "somebody", fewest=6).judged


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


def test_the_command_fails_where_a_check_is_missed(monkeypatch):
    good, bad = (Check("days", "days", 10, 8, 12, found, 5, "somebody") for found in (10, 20))
    thin = Check("days", "days", 10, 8, 12, 20, 5, "somebody", fewest=6)
    for checks, code, word in (([good], 0, "yes"), ([good, bad], 1, "NO"), ([good, thin], 0, "too few")):
        monkeypatch.setitem(SUBJECTS, "default-world", lambda checks=checks, **given: checks)
        done = CliRunner().invoke(app, ["validate", "--only", "default-world"])
        assert done.exit_code == code
        assert word in done.stdout
        assert "8 to 12" in done.stdout
