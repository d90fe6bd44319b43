"""Calibration: planted parameters come back within their intervals, and what cannot be known is said."""

from __future__ import annotations

import json

import numpy as np
import pytest
from test_analysis import BASE, paths
from test_study import here  # noqa: F401 - a fixture

from ecosim.config import ScenarioError
from ecosim.errors import InputError
from ecosim.study.calibrating import calibrate, fitted, units_of, values_at
from ecosim.study.matching import Luck, walk
from ecosim.study.reading import from_yaml, made
from ecosim.study.results import Study
from ecosim.study.sweeping import sweep

LOSS, BOTTOM = "loss.production_percent", "bottom.production_percent_of_twin"


def spec_of(targets, factors=2, replicates=4, **more):
    shocks = [{"kind": "outage", "when": 2, "severity": 0.5, "name": f"shock {at}"} for at in range(factors)]
    return made({
        "scenario": {**BASE, "shocks": shocks}, "factors": paths(factors), "replicates": replicates,
        "design": {"kind": "latin_hypercube", "points": 20}, "targets": targets, **more,
    })  # fmt: skip


def told(spec, function, own=0.1, shared=0.1):
    """A fit to runs of a function of the unit cube, with luck of its own and luck shared by a replicate."""
    rng = np.random.Generator(np.random.Philox(8))
    common = shared * rng.standard_normal(spec.replicates)

    def lived(points, wave):
        found = function(units_of(spec, points))
        return {
            name: value[:, None] + common + own * rng.standard_normal((len(points), spec.replicates))
            for name, value in found.items()
        }

    return fitted(spec, lived, lambda wave: None)


def curved(unit):
    return {LOSS: 10 * unit[:, 0] + unit[:, 1] ** 2, BOTTOM: 8 * unit[:, 1] + np.sin(3 * unit[:, 0])}


def test_planted_parameters_come_back_as_well_as_theory_allows():
    truth = np.array([[0.3, 0.6]])
    targets = {name: {"value": float(value[0]), "sd": 0.4, "one_world": False} for name, value in curved(truth).items()}
    found = told(spec_of(targets), curved)
    table = found.factors
    assert ((table["low"] < truth[0]) & (truth[0] < table["high"])).all()
    assert table["identified"].all()
    # Where the function is nearly a line, the posterior is that of least squares.
    slope = np.array([[10, 2 * 0.6], [3 * np.cos(0.9), 8]])
    spread = np.sqrt(np.diag(np.linalg.inv(slope.T @ slope)) * (0.4**2 + 0.1**2 / 4))
    assert table["sd"].to_numpy() == pytest.approx(spread, rel=0.2)
    assert np.abs(table["mean"] - truth[0]).max() < 0.5 * spread.max()
    assert found.waves["left"].iloc[-1] < 0.3
    assert (found.targets["predictivity"] > 0.95).all()


def test_what_only_a_product_tells_is_known_only_together():
    spec = spec_of({LOSS: {"value": 10.0, "sd": 0.2}})
    found = told(spec, lambda unit: {LOSS: 10 * (unit[:, 0] + unit[:, 1])})
    assert found.correlation.iloc[0, 1] < -0.9
    assert any("known only together" in word for word in found.words)
    assert not found.factors["identified"].any()


def test_a_factor_without_a_say_keeps_its_range():
    found = told(spec_of({LOSS: {"value": 5.0, "sd": 0.2}}), lambda unit: {LOSS: 10 * unit[:, 0]})
    assert found.factors["width"].tolist() == [pytest.approx(0.1, abs=0.05), pytest.approx(1, abs=0.1)]
    assert any("shocks.1.severity: the targets say next to nothing" in word for word in found.words)


def test_targets_out_of_reach_are_ruled_out():
    found = told(spec_of({LOSS: {"value": 50.0, "sd": 0.2}}), lambda unit: {LOSS: 10 * unit[:, 0]})
    assert found.ruled_out
    assert "no place in the ranges can show all targets" in found.words[0]
    assert found.targets["off"].iloc[0] < -50


def test_the_luck_of_one_world_widens_the_fit():
    def width(one_world):
        targets = {LOSS: {"value": 5.0, "sd": 0.1, "one_world": one_world}}
        return told(spec_of(targets, replicates=10), lambda unit: {LOSS: 10 * unit[:, 0]}, 0.5, 0.5).factors["sd"][0]

    assert width(True) > 1.5 * width(False)


def test_luck_is_told_apart():
    rng = np.random.Generator(np.random.Philox(2))
    runs = rng.standard_normal((400, 1)) * 5 + 2 * rng.standard_normal(300) + rng.standard_normal((400, 300))
    luck = Luck.of(runs)
    assert luck.own == pytest.approx(1, rel=0.02)
    assert luck.shared == pytest.approx(4, rel=0.25)


def test_walkers_draw_what_they_are_told():
    start = np.random.Generator(np.random.Philox(1)).random((60, 2))
    drawn = walk(lambda places: -(((places - [0.5, 0.4]) / [0.05, 0.1]) ** 2).sum(axis=1) / 2, start, 3)
    assert drawn.mean(axis=0) == pytest.approx([0.5, 0.4], abs=0.01)
    assert drawn.std(axis=0) == pytest.approx([0.05, 0.1], rel=0.1)
    flat = walk(lambda places: np.zeros(len(places)), start, 3)
    assert flat.std(axis=0) == pytest.approx([12**-0.5] * 2, rel=0.1)


def test_values_and_places_are_each_others_inverse():
    spec = made({
        "scenario": BASE, "replicates": 2, "targets": {LOSS: {"value": 1, "sd": 1}},
        "factors": {"days": {"low": 5, "high": 15},
                    "economy.inventory_days": {"low": 1.0, "high": 20.0, "scale": "log"},
                    "shocks.0.severity": {"low": 0.1, "high": 0.9}},
    })  # fmt: skip
    unit = np.random.Generator(np.random.Philox(1)).random((50, 3))
    values = values_at(spec, unit)
    assert values["days"].dtype == np.int64
    assert units_of(spec, values)[:, 1:] == pytest.approx(unit[:, 1:])
    assert np.abs(units_of(spec, values)[:, 0] - unit[:, 0]).max() <= 0.5 / 11


SMALL = """
scenario:
  days: 15
  economy: {kind: uniform, firms: 30}
  network: {kind: random, suppliers: 2}
  shocks: [{kind: outage, when: 2, severity: 0.5}]
factors: {shocks.0.severity: {low: 0.1, high: 0.9}}
design: {kind: latin_hypercube, points: 10}
replicates: 3
"""


def test_a_planted_scenario_comes_back_and_a_calibration_goes_on(here, typed, tmp_path, monkeypatch):  # noqa: F811
    planted = from_yaml(SMALL).base.with_({"shocks.0.severity": 0.6})
    many = sweep(made({"scenario": planted, "factors": {"days": [15]}, "replicates": 12}), out=tmp_path / "truth")
    value = float(many.table()[LOSS].mean())
    text = SMALL + f"targets: {{{LOSS}: {{value: {value}, sd: {0.02 * value}, one_world: false}}}}\n"
    (tmp_path / "fit.yaml").write_text(text)
    code, out, _ = typed("calibrate", "fit.yaml", "--out", "c", "--workers", "1")
    assert code == 0
    assert "In c: calibration.json, posterior.csv, calibration.png" in out
    first = json.loads((tmp_path / "c" / "calibration.json").read_text())
    assert first.pop("provenance")["command"][:3] == ["ecosim", "calibrate", "fit.yaml"]  # of the file alone
    (factor,) = first["factors"]
    assert factor["low"] < 0.6 < factor["high"]
    assert factor["identified"]
    # The same command lives nothing again, and says the same.
    monkeypatch.setattr("ecosim.study.figure.draw", lambda found, place: None)  # once is enough
    before = sorted((tmp_path / "c").rglob("runs/*.parquet"))
    code, out, _ = typed("calibrate", "fit.yaml", "--out", "c", "--workers", "1", "--json")
    assert json.loads(out) == first
    assert sorted((tmp_path / "c").rglob("runs/*.parquet")) == before
    # The file is a study, too.
    assert len(sweep(from_yaml(text), out=tmp_path / "plain").table()) == 30
    assert len(Study.load(tmp_path / "c" / "wave-1").table()) == 30


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"targets": {}}, "targets: missing; give at least one"),
        ({"replicates": 1}, "replicates: 1; luck cannot be told"),
        (
            {"factors": {"shocks.0.severity": [0.1, 0.2]}},
            "factors.shocks.0.severity: a list of values cannot be fitted",
        ),
    ],
)
def test_what_cannot_be_calibrated_is_said(change, said):
    given = {"scenario": BASE, "factors": paths(1), "replicates": 3, "targets": {LOSS: {"value": 1, "sd": 1}}} | change
    with pytest.raises(InputError, match=said.replace(".", r"\.")):
        calibrate(given)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("targets: {loss.production_percent: {value: 1}}", "sd: missing"),
        ("targets: {loss.production_percent: {value: 1, sd: 0}}", "0 is too small"),
        ("targets: {series.stok.mean: {value: 1, sd: 1}}", "no series 'stok'; did you mean 'stock'?"),
    ],
)
def test_mistakes_in_targets_have_their_line(text, said):
    with pytest.raises(ScenarioError) as caught:
        from_yaml(SMALL + text, name="s.yaml")
    assert said in str(caught.value)
    assert "s.yaml:10:" in str(caught.value)
