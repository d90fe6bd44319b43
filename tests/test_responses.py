"""Responses: intensities of one shock beside one twin, with common random numbers; and verdicts made of them."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import ecosim
from ecosim.errors import InputError
from ecosim.model import Ecosystem
from ecosim.resilience import Responses, respond, verdict
from ecosim.resilience.intensity import _scale
from ecosim.resilience.judged import pairing
from ecosim.resilience.responses import COSTS, OUTCOMES, Made
from ecosim.shocks.hit import Spell
from ecosim.shocks.shock import Shock

OUTAGE = {"kind": "outage", "when": 3, "severity": 0.6, "who": {"share": 0.3}, "recovery": {"days": 8}}


def world(**changes):
    base = {
        "name": "small",
        "days": 25,
        "seed": 4,
        "economy.kind": "uniform",
        "economy.firms": 60,
        "network.kind": "random",
        "shocks": [OUTAGE],
    }
    return ecosim.Scenario().with_(base | changes)


@pytest.fixture(scope="module")
def lived():
    return respond(world(), replicates=4, intensities=5)


def test_intensity_nothing_is_the_twin_to_the_bit(lived):
    assert (lived.d[:, 0] == 0.0).all()
    assert (lived.e[:, 0] == 0.0).all()
    assert (lived.outcomes["depth"][:, 0] == 0.0).all()
    assert (lived.outcomes["days_to_recover"][:, 0] == 0.0).all()
    assert (lived.d[:, -1] < 0).all()


def test_full_strength_is_the_run_that_ecosim_run_lives(lived):
    result = ecosim.run(world(), lineage="off")
    loss, last = result.summary["loss"], result.series.loc[0:]
    assert lived.d[0, -1] == pytest.approx(-loss["production_percent"] / 100, rel=1e-12)
    assert lived.outcomes["consumption_lost"][0, -1] == pytest.approx(loss["final_consumption_percent"] / 100, rel=1e-9)
    assert lived.outcomes["output"][0, -1] == last["total_production"].sum()
    assert lived.outcomes["firms_failing"][0, -1] == result.summary["failed"]["firms"]
    depth = 1 - (last["total_production"] / last["twin_total_production"]).min()
    assert lived.outcomes["depth"][0, -1] == pytest.approx(depth)
    end = last.iloc[-2:]  # a tenth of 25 days
    expected = end["total_production"].sum() / end["twin_total_production"].sum() - 1
    assert lived.e[0, -1] == pytest.approx(expected, abs=1e-12)


def test_an_intensity_is_the_same_scenario_with_a_milder_shock(lived):
    for replicate in (0, 2):
        eco = Ecosystem(world(**{"shocks.0.severity": 0.3}), replicate=replicate)
        eco.run_for(25)
        assert eco.series["total_production"].loc[0:].sum() == lived.outcomes["output"][replicate, 2]


def test_x_is_in_firm_days_of_capacity_lost(lived):
    # 18 firms lose 0.6 and get an eighth of it back each evening: 0.6 (8 + 7 + ... + 1)/8 days each.
    assert lived.x[-1] == pytest.approx(18 * 0.6 * 36 / 8)
    np.testing.assert_allclose(lived.outcomes["firm_days"], np.tile(lived.x, (4, 1)), rtol=1e-12)
    assert lived.made.unit == "firm-days of capacity lost"


def test_costs_are_what_is_kept_at_rest():
    of = respond(world(**{"economy.headroom": 0.2}), replicates=2, intensities=5)
    assert set(of.costs) == set(COSTS)
    np.testing.assert_allclose(of.costs["spare_capacity"], 0.2 * of.costs["output_a_day"])
    np.testing.assert_allclose(of.costs["stock"], 15 * 0.5 * of.costs["output_a_day"])  # 15 days of half the output


def test_reach_is_nested_and_right_on_average():
    scenario = world(**{"shocks.0.who": {"count": 3}})  # of 3 firms, 8 steps cannot all be whole
    plan = Ecosystem(scenario).world.plan
    counts = np.zeros(9)
    for replicate in range(100):
        eco = Ecosystem(scenario, blueprint=plan, replicate=replicate)
        kept, sets = eco.world.memory["outage"], []
        drawn = kept["first"]
        for k in range(9):
            kept["first"] = drawn
            _scale(eco, k / 8, "reach")
            sets.append(set(kept["rows"][kept["first"] > 0].tolist()))
        assert all(one <= other for one, other in pairwise(sets))
        assert (len(sets[0]), len(sets[-1])) == (0, 3)
        counts += [len(each) for each in sets]
    np.testing.assert_allclose(counts / 100, 3 * np.arange(9) / 8, atol=4 * 0.5 / np.sqrt(100))


def test_reach_ends_where_severity_ends(lived):
    reach = respond(world(), replicates=2, intensities=5, axis="reach")
    np.testing.assert_array_equal(reach.d[:, -1], lived.d[:2, -1])
    assert (reach.d[:, 2] != lived.d[:2, 2]).any()


def same(one, other):
    for name, values in {"d": one.d, "e": one.e, **one.outcomes}.items():
        np.testing.assert_array_equal(values, {"d": other.d, "e": other.e, **other.outcomes}[name], err_msg=name)
    np.testing.assert_array_equal(one.x, other.x)
    assert one.made == other.made


def test_workers_start_and_keep_change_no_bit(lived, tmp_path):
    counted = []
    more = respond(
        world(), replicates=4, intensities=5, workers=2, start=lived.first(2), progress=lambda *at: counted.append(at)
    )
    same(more, lived)
    assert counted == [(3, 4), (4, 4)]

    class EnoughError(Exception):
        pass

    def stop(done, total):
        if done == 3:
            raise EnoughError

    kept = tmp_path / "kept.parquet"
    with pytest.raises(EnoughError):
        respond(world(), replicates=4, intensities=5, keep=kept, progress=stop)
    assert Responses.load(kept).replicates == 3
    counted.clear()
    same(respond(world(), replicates=4, intensities=5, keep=kept, progress=lambda *at: counted.append(at)), lived)
    assert counted == [(4, 4)]


def test_what_was_kept_must_still_be_what_the_code_gives(lived, tmp_path):
    changed = replace(lived, d=lived.d * 1.01)
    changed.save(tmp_path / "kept.parquet")
    with pytest.raises(InputError, match=r"first replicate is another one now \(d\); delete the file"):
        respond(world(), replicates=6, intensities=5, keep=tmp_path / "kept.parquet")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scenario": world(seed=9)}, "another scenario"),
        ({"intensities": 7}, "another intensities"),
        ({"axis": "reach"}, "another axis"),
        ({"window": 0.2}, "another window"),
    ],
)
def test_only_the_same_goes_on(lived, changes, said):
    given = {"scenario": world(), "intensities": 5} | changes
    with pytest.raises(InputError, match=f"start: its replicates were made with {said}"):
        respond(given.pop("scenario"), replicates=6, start=lived, **given)


def test_files_give_back_everything(lived, tmp_path):
    outcomes = dict(lived.outcomes)
    outcomes["days_to_recover"] = np.where(outcomes["days_to_recover"] > 9, np.nan, outcomes["days_to_recover"])
    written = replace(lived, outcomes=outcomes, remarks=("mind this",))
    written.save(tmp_path / "r.parquet")
    read = Responses.load(tmp_path / "r.parquet")
    same(read, written)
    assert (read.labels, read.remarks, read.seed) == ({"scenario": "small"}, ("mind this",), 4)
    np.testing.assert_array_equal(read.costs["links"], lived.costs["links"])
    (tmp_path / "other.parquet").write_text("no")
    with pytest.raises(InputError, match="not the responses of a scenario"):
        Responses.load(tmp_path / "other.parquet")
    with pytest.raises(InputError, match="there is no such file"):
        Responses.load(tmp_path / "none.parquet")


# Made up, where the truth is known ------------------------------------------------------------------------------------


def made_up(output, d=None):
    output = np.asarray(output, dtype=float)
    d = np.zeros_like(output) if d is None else d
    outcomes = {name: np.zeros_like(output) for name in OUTCOMES} | {"output": output}
    costs = {name: np.ones(len(output)) for name in COSTS}
    made = Made("0", 1, 10, 5, "severity", 0.1, "firm-days", "0")
    return Responses(np.linspace(0, 4, output.shape[1]), d, d, outcomes, costs, {"scenario": "made up"}, made)


def test_what_pairing_is_worth():
    rng = np.random.Generator(np.random.Philox(3))
    shared, own = rng.normal(0, 2, (4000, 1)), rng.normal(0, 1, (4000, 5))
    own[:, 0] = 0.0
    found = made_up(100 + shared + own)
    # var(Y) + var(Y0) = 4 + 1 + 4 over var(Y - Y0) = 1, and the correlation is 2/sqrt(5).
    np.testing.assert_allclose(found.variance_ratio[1:], 9.0, rtol=0.08)
    np.testing.assert_allclose(found.twin_correlation[1:], 2 / np.sqrt(5), atol=0.01)
    assert np.isnan(found.variance_ratio[0])
    still = made_up(np.full((5, 5), 100.0))
    assert np.isnan(still.variance_ratio).all()
    assert np.isnan(still.twin_correlation).all()
    assert "replicates do not differ" in pairing(still)
    assert "not told by 2 replicates" in pairing(made_up(np.array([[100.0] * 5, [101.0] * 5])))


def test_responses_refuse_what_makes_no_study():
    good = made_up(np.ones((3, 5)))
    with pytest.raises(InputError, match="d is nan in replicate 1 at x = 2"):
        replace(good, d=np.where(np.arange(15).reshape(3, 5) == 7, np.nan, 0.0))
    with pytest.raises(InputError, match="equal steps"):
        replace(good, x=np.array([0.0, 1.0, 2.0, 3.0, 5.0]))
    with pytest.raises(InputError, match=r"e has shape \(3, 4\)"):
        replace(good, e=np.zeros((3, 4)))
    with pytest.raises(InputError, match="at least 2"):
        good.first(1).classify()
    with pytest.raises(InputError, match="4 of 3 replicates"):
        good.first(4)


# What users get wrong -------------------------------------------------------------------------------------------------


class NoEntries(Shock):
    kind: str = "no_entries"

    def apply(self, world, rng):
        world.sheet.scale("demand", 0.5)


class Stubborn(Spell):
    kind: str = "stubborn"

    def effect(self, world, rows, strength):
        world.sheet.multiply("demand", rows, 1.0 - strength)

    def apply(self, world, rng):
        super().apply(world, rng)
        world.sheet.multiply("demand", np.array([0]), 0.5)


def own(kind):
    return {"shocks": [{"kind": f"{__name__}:{kind}"}]}


def test_a_policy_that_acts_from_the_first_day_is_no_fault_of_the_shocks():
    helped = world(policies=[{"kind": "strategic_stock"}], **{"economy.headroom": 0.25})
    met = respond(helped, replicates=1, intensities=5)
    assert (met.d[:, 0] == 0.0).all()
    # What the shocks take is taken from the same world with the policy, and that is not the twin of a run.
    calm, twin = Ecosystem(helped.with_({"shocks": []})), Ecosystem(helped).twin()
    made = []
    for eco in (calm, twin):
        eco.run_for(25)
        made.append(eco.series["total_production"].loc[0:].sum())
    assert met.outcomes["output"][0, 0] == made[0] > 1.1 * made[1]


@pytest.mark.parametrize(
    ("changes", "given", "said"),
    [
        ({"shocks": []}, {}, "small: shocks: there are none to respond to; add one"),
        (own("NoEntries"), {}, r"shocks.0.kind: no_entries keeps no rows of whom it strikes .* derive it from"),
        (own("Stubborn"), {}, r"at intensity 0 the run differs from its twin in \w+, so stubborn do something beside"),
        (
            own("Stubborn") | {"policies": [{"kind": "strategic_stock"}]},
            {},
            r"at intensity 0 the run differs from its twin in \w+, policies apart, so stubborn do",
        ),
        ({"shocks.0.severity": 0.0}, {}, "took nothing from anybody in 25 days of 2 replicates; give them a severity"),
        ({}, {"replicates": 0}, "replicates = 0; give a number"),
        ({}, {"intensities": 4}, "intensities = 4; give an odd number from 5"),
        ({}, {"axis": "width"}, "axis = 'width'; give 'severity'"),
        ({}, {"window": 0.0}, "window = 0.0; give the share"),
        ({}, {"workers": 0}, "workers = 0; give a number of processes from 1"),
    ],
)
def test_mistakes_are_told(changes, given, said):
    with pytest.raises(InputError, match=said):
        respond(world(**changes), **{"replicates": 2, "intensities": 5} | given)


def test_a_scenario_without_luck_says_so():
    certain = world(**{"network.kind": "ring", "shocks.0.who": {"top": 5}})
    assert "All replicates are equal" in respond(certain, replicates=3, intensities=5).remarks[0]


def test_firm_days_out_of_step_are_told():
    # A uniform law gives back 1/days whatever was lost, so that half the severity costs a quarter of the firm-days.
    slow = world(**{"shocks.0.recovery": {"law": "uniform", "days": 20}})
    assert "do not grow in step" in respond(slow, replicates=2, intensities=5).remarks[0]


# Verdicts -------------------------------------------------------------------------------------------------------------


def test_a_verdict_is_looked_at_as_planned():
    judged = verdict(world(days=10, **{"economy.firms": 20}), replicates=60, intensities=5)
    assert [look.n for look in judged.looks] == [60] == [judged.responses.replicates]
    assert judged.verdict.margins.looks == 4
    again = judged.responses.classify(looks=4)
    assert (judged.verdict.label, judged.verdict.p_values) == (again.label, again.p_values)
    assert judged.verdict.label in str(judged)
    assert "variance ratio of pairing" in str(judged)
    with pytest.raises(InputError, match=r"looks are planned at \(60, 120, 240, 480\)"):
        verdict(world(), replicates=100)


def test_a_verdict_stops_when_it_is_decided(monkeypatch):
    rng = np.random.Generator(np.random.Philox(8))
    x = np.linspace(0, 1, 5)
    asked = []

    def fake(scenario, *, replicates, **_):
        asked.append(replicates)
        curve = -0.5 * x**2 if scenario == "fragile" else -0.005 * x
        d = curve + rng.normal(0, 0.01, (replicates, 5))
        return made_up(np.ones((replicates, 5)), d * (x > 0))

    monkeypatch.setattr("ecosim.resilience.judged.respond", fake)
    assert verdict("fragile").verdict.label == "FRAGILE"
    assert asked == [60]
    asked.clear()
    assert verdict("robust").verdict.label == "ROBUST"
    assert asked == [60, 120]  # below the floor of 86 nothing but FRAGILE can be said
    assert verdict("robust", replicates=60).verdict.label == "INCONCLUSIVE"
