"""Comparisons: paired effects, dominance and verdicts of several scenarios under one shock."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import ecosim
from ecosim.commands import compare as command
from ecosim.errors import InputError
from ecosim.resilience import Responses, compare, holm
from ecosim.resilience.comparison import EFFECTS
from ecosim.resilience.comparison_alike import names
from tests.test_responses import made_up, same, world

QUICK = {"replicates": 6, "intensities": 5}


@pytest.fixture(scope="module")
def pair():
    return {"lean": world(days=20, **{"economy.inventory_days": 2}), "stocked": world(days=20)}


@pytest.fixture(scope="module")
def found(pair):
    return compare(pair, **QUICK)


def effect(found, outcome, scenario="stocked"):
    rows = found.effects.query("scenario == @scenario and outcome == @outcome and intensity == 1.0")
    assert len(rows) == 1
    return rows.iloc[0]


def test_effects_are_paired_t_intervals(found):
    lean, stocked = found.responses["lean"], found.responses["stocked"]
    for outcome, gap in {
        "d": stocked.d[:, -1] - lean.d[:, -1],
        "e": stocked.e[:, -1] - lean.e[:, -1],
        "G": stocked.d.mean(axis=1) - lean.d.mean(axis=1),
        "firms_failing": stocked.outcomes["firms_failing"][:, -1] - lean.outcomes["firms_failing"][:, -1],
    }.items():
        row = effect(found, outcome)
        expected = stats.ttest_1samp(gap, 0).confidence_interval(0.95)
        assert row["effect"] == pytest.approx(gap.mean())
        assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
        assert row["n"] == 6
    assert set(found.effects["outcome"]) == set(EFFECTS)


def test_runs_that_never_recover_count_for_all_the_days_they_were_watched(found):
    days = found.responses["stocked"].outcomes["days_to_recover"][:, -1]
    assert np.isnan(days).any()
    assert effect(found, "days_to_recover")["other"] == pytest.approx(np.where(np.isnan(days), 17, days).mean())
    assert "median days to recover: more than the 17 watched; 0 of 6 recovered" in str(found)


def test_luck_is_shared_between_scenarios(pair, found):
    result = ecosim.run(pair["stocked"], lineage="off")
    assert found.responses["stocked"].outcomes["output"][0, -1] == result.series["total_production"].loc[0:].sum()
    again = compare({"one": pair["lean"], "other": pair["lean"].with_({"name": "renamed"})}, **QUICK)
    assert again.dominance["other"].relation == "equal"
    assert (again.effects["effect"] == 0.0).all()


def test_labels_never_stand_alone(found):
    text = str(found)
    for name, verdict in found.verdicts.items():
        assert verdict.correction == "Holm over 2 structures"
        line = next(line for line in text.splitlines() if line.startswith(f"{name}: {verdict.label}"))
        after = text[text.index(line) :].splitlines()[1]
        assert after.strip().startswith("G ")
        assert "worst d" in after
        assert "min H" in after
    adjusted = holm([of.p_values["fragile"] for of in found.alone.values()])
    assert [of.p_values["fragile"] for of in found.verdicts.values()] == pytest.approx(list(adjusted))
    for line in ("t intervals, each 95 % for itself", "like with like", "Who loses less", "pairing"):
        assert line in text


def test_costs_stand_beside_the_labels(found):
    costs = found.costs().set_index("scenario")
    assert costs["stock_days"].to_dict() == pytest.approx({"lean": 1.0, "stocked": 7.5})  # days times inputs per output
    assert (costs["spare_capacity"] == 0.0).all()
    assert set(costs.columns) < set(found.table().columns)


def test_an_open_study_says_how_many_more(monkeypatch, pair):
    rng = np.random.Generator(np.random.Philox(5))
    x = np.linspace(0, 1, 5)
    asked = []

    def fake(scenario, *, replicates, **_):
        asked.append((scenario.name, replicates))
        curve = -0.5 * x**2 if scenario.name == "lean" else -0.005 * x
        d = curve + rng.normal(0, 0.01, (replicates, 5))
        return made_up(rng.normal(100, 1, (replicates, 5)), d * (x > 0))

    monkeypatch.setattr("ecosim.resilience.comparison.respond", fake)
    two = {name: scenario.with_({"name": name}) for name, scenario in pair.items()}
    short = compare(two, replicates=60, looks=True)
    assert (short.verdicts["lean"].label, short.verdicts["stocked"].label) == ("FRAGILE", "INCONCLUSIVE")
    assert "about 39 more are needed" in str(short)  # the floor for two structures is 99
    asked.clear()
    done = compare(two, replicates=480, looks=True)
    assert done.verdicts["stocked"].label == "ROBUST"
    assert asked == [("lean", 60), ("stocked", 60), ("stocked", 120)]
    assert (effect(done, "d")["n"], done.verdicts["lean"].n, done.verdicts["stocked"].n) == (60, 60, 120)
    assert done.dominance["stocked"].relation == "A dominates"
    with pytest.raises(InputError, match="so give one of these"):
        compare(two, replicates=100, looks=True)


def renamed(kind, **changes):
    return {"shocks": [{"kind": kind, "when": 3, "severity": 0.6, "who": {"share": 0.3}} | changes]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"days": 30}, "days: one has 25, two 30; give both as many"),
        ({"seed": 9}, "seed: one has 4, two 9; give both the same"),
        ({"economy.firms": 61}, "economy: one has 60 firms, two 61; firms are paired by row"),
        ({"shocks": []}, "shocks: one has 1, two 0; give both the same shocks"),
        ({"shocks.0.severity": 0.5}, r"shocks.0.severity: 0.6 in one, 0.5 in two; the same shock must befall both"),
        (renamed("demand_collapse"), "shocks.0.kind: 'outage' in one, 'demand_collapse' in two"),
        ({"shocks.0.name": "flood"}, "shocks.0.name: 'outage' in one, 'flood' in two"),
        ({"shocks.0.recovery.days": 9}, "shocks.0.recovery"),
    ],
)
def test_what_cannot_be_compared_is_refused(changes, said):
    with pytest.raises(InputError, match=said):
        compare({"one": world(), "two": world(**changes)}, **QUICK)


def test_what_makes_a_comparison_weaker_is_told():
    hub, luck = world(**{"shocks.0.who": {"top": 3, "by": "degree"}}), {"network.kind": "scale_free"}
    larger = {"economy.final_demand": 2000.0}
    said = " ".join(compare({"one": hub, "two": hub.with_(luck | larger)}, replicates=2, intensities=5).remarks)
    assert "outage strikes other firms: in the first replicate 3 in one and 3 in two" in said
    assert "two makes +100 % of the usual output of one" in said


def test_mistakes_are_told(pair):
    with pytest.raises(InputError, match="1 scenarios; a comparison needs at least 2"):
        compare([pair["lean"]])
    with pytest.raises(InputError, match="one scenario; a comparison needs at least 2"):
        compare("tiny")
    with pytest.raises(InputError, match="two scenarios are called 'small'"):
        compare(list(pair.values()))
    with pytest.raises(InputError, match="replicates = 1; a spread needs at least 2"):
        compare(pair, replicates=1)
    with pytest.raises(InputError, match="shocks: there are none to respond to"):
        compare({name: scenario.with_({"shocks": []}) for name, scenario in pair.items()}, **QUICK)


# The command ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def files(pair, typed):
    for name, scenario in pair.items():
        with open(f"{name}.yaml", "w") as file:  # noqa: PTH123 - typed stands in an empty folder
            file.write(scenario.to_yaml())
    return ("compare", "lean.yaml", "stocked.yaml", "--replicates", "6", "--intensities", "5", "--workers", "1")


def test_files_of_one_name_are_told_apart_by_file(files):
    assert list(names(["lean.yaml", "stocked.yaml"])) == ["lean", "stocked"]


def test_the_command_goes_on_where_it_was_killed(typed, files, found, tmp_path, monkeypatch):
    told = []

    def killed():
        def progress(done, total):
            told.append(done)
            if done == 8:
                raise KeyboardInterrupt

        return progress

    with monkeypatch.context() as patch:
        patch.setattr(command, "_teller", killed)
        code, _, err = typed(*files, "--out", "result")
    assert code == 130
    assert "interrupted; replicates so far are kept in result.replicates. Go on with: ecosim compare" in err
    assert not (tmp_path / "result").exists()
    monkeypatch.setattr(command, "_teller", lambda: lambda done, total: told.append(done))
    code, out, err = typed(*files, "--out", "result", "--json")
    assert (code, err) == (0, "")
    assert told == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert not (tmp_path / "result.replicates").exists()

    result = json.loads(out)
    assert result == json.loads((tmp_path / "result" / "comparison.json").read_text())
    assert {row["scenario"]: row["label"] for row in result["verdicts"]} == {
        name: verdict.label for name, verdict in found.verdicts.items()
    }
    for at, name in enumerate(found.responses, 1):
        read = Responses.load(tmp_path / "result" / f"responses_{at}.parquet")
        np.testing.assert_array_equal(read.d, found.responses[name].d)
    effects = pd.read_parquet(tmp_path / "result" / "effects.parquet")
    pd.testing.assert_frame_equal(effects, found.effects)
    assert (tmp_path / "result" / "figure.png").stat().st_size > 10_000
    assert "Holm over 2 structures" in (tmp_path / "result" / "comparison.txt").read_text()

    code, _, err = typed(*files, "--out", "result")
    assert code == 2
    assert "result: exists already" in err


def test_the_command_gives_all_one_seed(typed, files, tmp_path):
    (tmp_path / "stocked.yaml").write_text((tmp_path / "stocked.yaml").read_text().replace("seed: 4", "seed: 5"))
    code, _, err = typed(*files)
    assert code == 2
    assert "seed: lean has 4, stocked 5" in err
    code, out, _ = typed(*files[:-4], "--intensities", "5", "--workers", "1", "--replicates", "2", "--seed", "7")
    assert code == 0
    assert "seed 7" in out
    assert "Written to comparisons/lean_and_stocked" in out
    same(Responses.load(tmp_path / "comparisons/lean_and_stocked/responses_1.parquet").first(1), _first(tmp_path))


def _first(folder):
    from ecosim.resilience import respond

    return respond(ecosim.load(folder / "lean.yaml").with_({"seed": 7}), replicates=1, intensities=5)
