"""Black swans are earned: the four conditions, each broken in turn; and what holding a type out measures."""

import json

import numpy as np
import pytest

from ecosim import Scenario, run
from ecosim.errors import InputError
from ecosim.resilience.held_out import leave_one_type_out
from ecosim.swans import Training, expected

HOSTILE = '{"kinds": [], "channels": [], "losses": [%s], "frozen": null, "opened": []}'
WORLD = Scenario(name="world", days=30, economy={"kind": "uniform", "firms": 40, "inventory_days": 3})
HARD = {"kind": "outage", "name": "meteor", "when": 2, "severity": 0.9}
SEEN = {"kind": "demand_collapse", "when": 2, "severity": 0.1, "days": 3}


@pytest.fixture
def training(tmp_path):
    """A record of mild slumps, with as many losses as a quantile of 99.9 % needs, and its file."""
    seen = run(WORLD.with_({"shocks": [SEEN]}), lineage="off")
    found = Training.of([seen])
    assert found.kinds == ("demand_collapse",)
    assert found.channels == ("demand",)
    assert 0 < found.losses[0] < 0.1
    path = tmp_path / "training.json"
    luck = np.random.Generator(np.random.Philox(1))
    many = Training(found.kinds, found.channels, tuple(found.losses[0] * luck.random(1000))).freeze(WORLD)
    many.save(path)
    assert Training.load(path) == many
    return path


def opened(path, world=WORLD, **changes):
    return world.with_({"shocks": [HARD | {"tag": "black_swan", "training": str(path)} | changes]})


def test_one_that_meets_all_four_conditions_may_be_called_so_and_its_seal_is_broken(training):
    scenario = opened(training)
    result = run(scenario)
    assert result.summary["tags"] == {"meteor": {"claimed": "black_swan", "is": "black_swan"}}
    assert len(Training.load(training).opened) == 1
    assert run(scenario).series.equals(result.series)  # the same run may be lived again
    with pytest.raises(InputError, match=r"shocks\.0\.tag: meteor is no black_swan: the seal was broken before"):
        run(opened(training, severity=0.8))


def test_one_that_costs_no_more_than_was_known_is_grey(training):
    result = run(opened(training, severity=0.001))
    assert result.summary["tags"]["meteor"] == {"claimed": "black_swan", "is": "grey_swan"}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"kind": "demand_collapse"}, "its type demand_collapse was trained on"),
        ({"kind": "demand_collapse"}, r"it enters by a channel that was used in training \(demand\)"),
        ({"training": None}, "black_swan is earned, not claimed"),
    ],
)
def test_what_was_trained_on_cannot_be_one(training, changes, why):
    with pytest.raises(InputError, match=why):
        run(opened(training, **changes))
    assert Training.load(training).opened == ()


def test_what_agents_have_a_plan_for_cannot_be_one(training):
    planned = WORLD.with_({"mechanisms": [{"kind": "continuity", "scenarios": ["meteor"]}]})
    Training.load(training).freeze(planned).save(training)
    assert expected(planned) == ("meteor",)
    with pytest.raises(InputError, match=r"agents have a plan for it \(meteor\)"):
        run(opened(training, planned))


def test_habits_may_not_change_after_they_were_frozen(training):
    with pytest.raises(InputError, match="changed after they were frozen"):
        run(opened(training, WORLD.with_({"economy.inventory_days": 30})))
    Training((), (), tuple([0.1] * 1000)).save(training)
    with pytest.raises(InputError, match="nothing was frozen before it was opened"):
        run(opened(training))


def test_too_few_losses_tell_no_quantile_of_one_in_a_thousand(training):
    held = json.loads(training.read_text())
    training.write_text(json.dumps(held | {"losses": held["losses"][:999]}))
    with pytest.raises(InputError, match="999 training runs cannot tell"):
        run(opened(training))


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"kinds": 1}', "[" * 5000, HOSTILE % "null", HOSTILE % '"a"', HOSTILE % "-1e9"]
)
def test_a_file_that_is_no_record_is_told(training, text):
    training.write_text(text)
    with pytest.raises(InputError, match="not a record of training"):
        run(opened(training))


def test_other_tags_are_the_users_to_give_and_training_belongs_to_black_swans():
    assert run(WORLD.with_({"shocks": [HARD | {"tag": "stress"}]})).summary["tags"]["meteor"]["is"] == "stress"
    with pytest.raises(ValueError, match="training is read for tag: black_swan alone"):
        WORLD.with_({"shocks": [HARD | {"training": "x.json"}]})


# --- leave one type out -----------------------------------------------------------------------------------------------

TYPES = {
    "outage": [{"kind": "outage", "who": {"share": 0.3}, "when": 2, "severity": 0.4, "recovery": {"days": 8}}],
    "slump": [{"kind": "demand_collapse", "when": 2, "severity": 0.5, "days": 8}],
}


def stock_up_for_outages(base, seen):
    """Buffers against outages, nothing against slumps: what overfits by construction."""
    return base.with_({"economy.headroom": 0.5}) if "outage" in seen else base


def test_what_was_tuned_on_one_type_is_told_apart_from_what_helps_against_another():
    scenario = WORLD.with_({"economy.headroom": 0.0})

    def tune(base, seen):
        return base.with_({"mechanisms": [{"kind": "recovery", "trust": 1.0}]}) if "outage" in seen else base

    found = leave_one_type_out(scenario, TYPES, tune, replicates=6)
    table = found.table.set_index("held_out")
    assert table.loc["slump", "trained"] > 0  # trained on outages, and it helps against them
    assert table.loc["slump", "unseen"] == pytest.approx(0, abs=1e-12)  # and not against slumps, for repair is no sales
    assert table.loc["slump", "gap_low"] > 0
    assert table.loc["outage", ["trained", "unseen", "gap"]].tolist() == [0, 0, 0]
    assert "slump held out: protects less than trained on" in found.sentences()[1]
    assert "outage held out: no difference could be shown" in found.sentences()[0]


def test_a_tuner_that_moves_the_world_is_refused():
    with pytest.raises(InputError, match=r"tune \(without slump\): it changed economy"):
        leave_one_type_out(WORLD, TYPES, stock_up_for_outages, replicates=2)


@pytest.mark.parametrize(("types", "replicates", "why"), [({}, 5, "at least two"), (TYPES, 1, "at least 2")])
def test_too_little_to_compare_is_refused(types, replicates, why):
    with pytest.raises(InputError, match=why):
        leave_one_type_out(WORLD, types, lambda base, seen: base, replicates=replicates)


def test_what_another_shock_costs_makes_nobody_a_black_swan(training):
    beside = opened(training, severity=1e-6)
    with pytest.raises(InputError, match="other shocks strike beside it"):
        run(beside.with_({"shocks.1": {"kind": "demand_collapse", "severity": 0.9, "when": 2}}))


def test_a_run_that_never_begins_breaks_no_seal(training):
    with pytest.raises(InputError, match="no firm is named"):
        run(opened(training, who={"firms": "Nobody"}))
    assert Training.load(training).opened == ()


def test_a_finished_run_is_not_lost_with_its_training(training):
    def vanish(done, days):
        training.unlink(missing_ok=True)

    assert run(opened(training), progress=vanish).summary["tags"]["meteor"]["is"] == "black_swan"
