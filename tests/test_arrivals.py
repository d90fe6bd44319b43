"""When shocks strike: rates and crowds, bursts of equal number, what follows what, recorded events, and the horizon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecosim
from ecosim import InputError, Scenario
from ecosim.config import ScenarioError
from ecosim.model import Ecosystem
from ecosim.rng import Stream
from ecosim.shocks.arrivals import Hawkes, Poisson, Sequence, Window

SMALL = {"kind": "uniform", "firms": 40}


def town(*shocks: dict[str, Any], days: int = 180, **parts: Any) -> Ecosystem:
    parts.setdefault("economy", SMALL)
    return Ecosystem(Scenario(days=days, shocks=[{"kind": "outage", **shock} for shock in shocks], **parts))


def days_of(eco: Ecosystem, name: str = "outage") -> list[int]:
    """Days of the strikes, in order of their numbers."""
    kept = eco.world.memory[name]
    return [int(kept["day"][kept["number"] == number][0]) for number in np.unique(kept["number"])]


def refusal(text: str, **given: Any) -> str:
    with pytest.raises(InputError) as refused:
        Ecosystem(
            Scenario.from_yaml(f"days: 180\neconomy: {{kind: uniform, firms: 40}}\n{text}", name="x.yaml", **given)
        )
    return str(refused.value)


# --- one day ----------------------------------------------------------------------------------------------------------


def test_a_window_strikes_once_on_each_of_its_days_alike() -> None:
    when = Window(**{"from": 10, "to": 14})
    world: Any = type("World", (), {"horizon": 15})()
    found = [when.strikes(world, Stream(seed, 0, "window"), "when") for seed in range(3000)]
    count = np.bincount([strike.day for (strike,) in found], minlength=15)
    assert count[:10].sum() == 0
    assert count[10:] == pytest.approx([600] * 5, abs=110)  # standard deviation 22
    assert days_of(town({"when": {"from": 7, "to": 7}})) == [7]


# --- by chance --------------------------------------------------------------------------------------------------------


def fano(branching: float, memory: float, days: float) -> float:
    """Variance over mean of a stationary Hawkes process's number of events in a window (Hawkes 1971, integrated)."""
    if branching == 0:
        return 1.0
    slow = (1.0 - branching) * days / memory
    return 1.0 + (1.0 / (1.0 - branching) ** 2 - 1.0) * (1.0 - -np.expm1(-slow) / slow)


@pytest.mark.parametrize("branching", [0.0, 0.5, 0.8])
def test_rate_and_fano_factor_of_crowds(branching: float) -> None:
    """Each of 4000 rows is a sample of its own; the window is 1000 memories long and more."""
    rows, days, per_year = 4000, 2000, 36.5
    when = Hawkes(per_year=per_year, branching=branching, memory_days=1.5)
    found = when.gaps(np.arange(rows), days, Stream(3, 0, "hawkes"), "when")
    count = np.bincount(found.at, minlength=rows)
    rate = per_year / 365.0 / (1.0 - branching)
    expected = fano(branching, 1.5, days)
    assert expected == pytest.approx(1.0 / (1.0 - branching) ** 2, rel=0.01)
    mean, variance = rate * days, rate * days * expected
    assert count.mean() == pytest.approx(mean, abs=4.5 * np.sqrt(variance / rows))
    assert count.var() / count.mean() == pytest.approx(expected, rel=4.5 * np.sqrt(2.0 / rows))
    early = (found.day < 20).sum() / rows / 20  # crowds are under way on day 0
    assert early == pytest.approx(rate, rel=0.08)


def test_poisson_counts_gaps_and_short_windows() -> None:
    found = Poisson(per_year=73.0).gaps(np.arange(3000), 300, Stream(2, 0, "poisson"), "when")
    counts = np.bincount(found.at * 300 + found.day, minlength=900_000)
    share = np.bincount(counts, minlength=3)[:3] / len(counts)
    expected = np.exp(-0.2) * np.array([1.0, 0.2, 0.02])
    np.testing.assert_allclose(share, expected, atol=0.002)


def test_without_offspring_a_crowd_is_a_poisson_process() -> None:
    rows, stream = np.arange(50), Stream(1, 0, "same")
    one = Poisson(per_year=30.0).gaps(rows, 400, stream, "when")
    two = Hawkes(per_year=30.0, branching=0.0).gaps(rows, 400, stream, "when")
    for first, second in zip(one, two, strict=True):
        np.testing.assert_array_equal(first, second)


def test_each_firm_has_days_of_its_own_and_more_days_only_add_strikes() -> None:
    shock = {"who": {"count": 20}, "when": {"kind": "poisson", "per_year": 6, "each": "firm"}}
    kept = town(shock).world.memory["outage"]
    by_firm = {int(row): sorted(kept["day"][kept["rows"] == row].tolist()) for row in np.unique(kept["rows"])}
    assert len({tuple(days) for days in by_firm.values()}) == len(by_firm) > 15
    longer = town(shock, days=400).world.memory["outage"]
    for row, days in by_firm.items():
        assert sorted(day for day in longer["day"][longer["rows"] == row].tolist() if day < 180) == days


def test_each_strike_draws_anew_who_is_hit() -> None:
    kept = town({"who": {"count": 5}, "when": {"kind": "poisson", "per_year": 30}}).world.memory["outage"]
    strikes = [tuple(kept["rows"][kept["number"] == number]) for number in np.unique(kept["number"])]
    assert len(set(strikes)) == len(strikes) > 5
    assert {len(rows) for rows in strikes} == {5}


def test_a_year_of_millions_of_strikes_is_refused() -> None:
    shock = {"when": {"kind": "hawkes", "per_year": 10_000, "branching": 0.99, "memory_days": 3000, "each": "firm"}}
    with pytest.raises(InputError, match=r"shocks\.0\.when: that is about .* strikes; lower per_year"):
        town(shock)


# --- sequences --------------------------------------------------------------------------------------------------------


def burstiness(days: list[int]) -> float:
    gaps = np.diff(days).astype(float)
    return float((gaps.std() - gaps.mean()) / (gaps.std() + gaps.mean()))


@settings(max_examples=60, deadline=None)
@given(
    events=st.integers(3, 60),
    share=st.floats(0, 1),
    first=st.integers(0, 50),
    seed=st.integers(0, 1000),
)
def test_a_sequence_has_its_number_its_ends_and_its_burstiness(
    events: int, share: float, first: int, seed: int
) -> None:
    most = (np.sqrt(events - 2.0) - 1.0) / (np.sqrt(events - 2.0) + 1.0)
    wanted = -1.0 + share * (np.floor(100.0 * most - 1.0) / 100.0 + 1.0)
    last = first + 200_000  # so long that whole days hardly matter
    when = Sequence(events=events, burstiness=wanted, **{"from": first, "to": last})
    world: Any = type("World", (), {"horizon": last + 1})()
    days = [strike.day for strike in when.strikes(world, Stream(seed, 0, "sequence"), "when")]
    assert len(days) == events
    assert (days[0], days[-1]) == (first, last)
    assert days == sorted(days)
    assert burstiness(days) == pytest.approx(wanted, abs=1e-3)


def test_sequences_of_equal_number_and_severity_differ_only_in_their_days() -> None:
    def stress(value: float) -> Ecosystem:
        when = {"kind": "sequence", "events": 20, "from": 5, "to": 176, "burstiness": value}
        return town({"who": {"count": 6}, "when": when, "severity": {"kind": "pareto", "scale": 0.2}})

    regular, chance, bursts = (stress(value).world.memory["outage"] for value in (-1.0, 0.0, 0.5))
    for other in (chance, bursts):
        np.testing.assert_array_equal(regular["rows"], other["rows"])
        np.testing.assert_array_equal(regular["first"], other["first"])
        assert not np.array_equal(regular["day"], other["day"])
    found = [burstiness(kept["day"][::6].tolist()) for kept in (regular, chance, bursts)]
    assert found == pytest.approx([-1.0, 0.0, 0.5], abs=0.06)  # whole days


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (
            "{events: 5, from: 0, to: 9, burstiness: 0.9}",
            "burstiness: 0.9 is more than 5 events can have; give at most 0.25",
        ),
        ("{events: 3, from: 0, to: 9}", "burstiness: 0 is more than 3 events can have; give at most -0.01, or more"),
        ("{events: 500, from: 0, to: 9, burstiness: 1}", "burstiness: 1 is more than 500 events can have"),
        ("{events: 2, from: 0, to: 9}", "events: 2 is too small; give a whole number from 3 to 10000"),
        ("{events: 9, from: 9, to: 0}", "to: 0 is before from, day 9; give a later day"),
    ],
)
def test_a_sequence_that_cannot_be_is_refused(when: str, text: str) -> None:
    told = refusal(f"shocks:\n  - kind: outage\n    when: {when.replace('{', '{kind: sequence, ')}")
    assert f"shocks.0.when.{text}" in told
    assert told.startswith("x.yaml:5:")


# --- one after another ------------------------------------------------------------------------------------------------


def test_a_shock_follows_each_strike_of_another() -> None:
    first = {"name": "flood", "who": {"count": 3}, "when": {"kind": "poisson", "per_year": 20}}
    second = {"name": "fire", "who": {"hit_by": "flood"}, "when": {"after": "flood", "days": 4}}
    eco = town(first, second)
    floods = sorted(set(days_of(eco, "flood")))
    late = [day for day in floods if day + 4 > 179]
    assert days_of(eco, "fire") == [day + 4 for day in floods if day not in late]
    eco = town(first, second, days=floods[0] + 4)
    assert not len(eco.world.memory["fire"]["rows"])
    assert eco.world.remarks[0].startswith(
        f"{len(days_of(eco, 'flood'))} of the strikes that should follow flood after 4"
    )


def test_what_spreads_is_not_followed() -> None:
    virus = {"name": "virus", "who": {"count": 1}, "when": 3, "contagion": {"along": "region", "chance": 0.5}}
    eco = town(virus, {"name": "fine", "when": {"after": "virus", "days": 2}})
    assert len(set(eco.world.memory["virus"]["day"].tolist())) > 2
    assert days_of(eco, "fine") == [5]


# --- recorded events --------------------------------------------------------------------------------------------------


def recorded(folder: Path, table: str, keys: str = "", days: int = 180) -> Ecosystem:
    (folder / "events.csv").write_text(table, encoding="utf-8")
    (folder / "x.yaml").write_text(
        f"days: {days}\neconomy: {{kind: uniform, firms: 40}}\nshocks:\n  - kind: outage\n    severity: 0.5\n"
        f"    when: {{replay: events.csv{keys}}}\n",
        encoding="utf-8",
    )
    return Ecosystem(ecosim.load(folder / "x.yaml"))


def test_recorded_events_strike_whom_they_name(tmp_path: Path) -> None:
    table = "date,firm,region,severity\n2020-03-31,Goods #7,,\n2020-03-03,,Riverside,0.25\n2020-03-03,,,0.125\n"
    eco = recorded(tmp_path, table, ", first_day: 2020-03-01")
    kept, firms = eco.world.memory["outage"], eco.world.plan.firms
    near = np.flatnonzero(firms.region == firms.region_names.index("Riverside"))
    assert kept["rows"].tolist() == [*near, *range(40), 6]
    assert kept["day"].tolist() == [2] * (len(near) + 40) + [30]
    assert kept["first"].tolist() == [0.25] * len(near) + [0.125] * 40 + [0.5]
    assert set(eco.world.sources) == {str(tmp_path / "events.csv")}
    eco.run_for(3)
    assert eco.world.firms.capacity[near] == pytest.approx(eco.world.firms.output[near] * 0.75 * 0.875)
    again = Scenario.from_yaml(eco.scenario.to_yaml())
    assert again == eco.scenario
    assert Ecosystem(again).world.memory["outage"]["rows"].tolist() == kept["rows"].tolist()


def test_a_file_is_read_once_and_its_digest_is_kept(tmp_path: Path) -> None:
    import hashlib

    table = "day,sector\n3,Goods\n"
    eco = recorded(tmp_path, table, days=12)
    (tmp_path / "events.csv").write_text("day\n4\n", encoding="utf-8")
    result = ecosim.run(eco.scenario)
    assert result.summary["shocks"][0]["day"] == 3
    assert result.manifest["imported"] == {str(tmp_path / "events.csv"): hashlib.sha256(table.encode()).hexdigest()}


@pytest.mark.parametrize(
    ("table", "keys", "text"),
    [
        (
            "day,firm\n3,Goods #7\n5,Goods #70\n",
            "",
            "events.csv:3: no firm is named 'Goods #70'; did you mean 'Goods #7",
        ),
        ("day,region\n3,Riversid\n", "", "events.csv:2: no region is named 'Riversid'; did you mean 'Riverside'?"),
        ("day,sector\n3,God\n", "", "events.csv:2: no sector is named 'God'; did you mean 'Goods'?"),
        ("day\n180\n", "", "events.csv:2: day 180 is beyond the last day 179; set days: 181 or more, or drop the line"),
        ("day\n-1\n", "", "events.csv:2: day -1 is before day 0, or drop the line"),
        ("day\nlate\n", "", "events.csv:2: 'late' is no day; give a whole number of at least 0"),
        ("day,severity\n1,1.5\n", "", "events.csv:2: '1.5' is not a share of capacity; give a number from 0 to 1"),
        ("day,severity\n1,nan\n", "", "events.csv:2: 'nan' is not a share of capacity; give a number from 0 to 1"),
        ("day,town\n1,x\n", "", "events.csv:1: unknown column 'town'; there are day, date, firm"),
        ("firm\nGoods #7\n", "", "events.csv:1: a column is missing; add day or date"),
        ("day,date\n1,2020-01-01\n", "", "events.csv:1: day and date say the same; drop one"),
        ("date\n1.3.2020\n", ", first_day: 2020-03-01", "events.csv:2: '1.3.2020' is no date; write it as 2020-03-01"),
        ("date\n2019-12-31\n", ", first_day: 2020-01-01", "events.csv:2: day -1 (2019-12-31) is before day 0, or drop"),
        ("day;firm\n1;x\n", "", "events.csv:1: the header has semicolons; separate columns with commas"),
    ],
)
def test_a_file_with_mistakes_is_refused_with_its_line(tmp_path: Path, table: str, keys: str, text: str) -> None:
    with pytest.raises(InputError) as refused:
        recorded(tmp_path, table, keys)
    assert text in str(refused.value)


def test_every_mistake_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        recorded(tmp_path, "day\n500\n3\nx\n")
    lines = str(refused.value).split("\n")
    assert [line.startswith("shocks.0.when.replay: ") for line in lines] == [True, True]
    assert [line.split("events.csv:")[1][0] for line in lines] == ["2", "4"]


def test_dates_need_the_first_and_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"shocks\.0\.when\.first_day: missing, and the file has dates; give the date"):
        recorded(tmp_path, "date\n2020-01-01\n")
    assert "no.csv: cannot be read" in refusal("shocks:\n  - kind: outage\n    when: {replay: no.csv}\n")


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["outage", "pulse"])
@pytest.mark.parametrize(
    ("when", "path", "text"),
    [
        ("200", "when", "day 200 is beyond the last day 179; strike on an earlier day, or set days: 201 or more"),
        ("180", "when", "day 180 is beyond the last day 179; strike on an earlier day, or set days: 181 or more"),
        ("{from: 100, to: 180}", "when.to", "day 180 is beyond the last day 179"),
        ("{kind: sequence, events: 5, from: 100, to: 180}", "when.to", "day 180 is beyond the last day 179"),
        ("-1", "when", "day -1 is before the first day; give 0 or more"),
        ("soon", "when", "'soon' is no day; give a day, {from: 10, to: 40}, {kind: poisson, per_year: 4}"),
        ("3.5", "when", "3.5 is no day; give a day, "),
        ("{}", "when", "this does not say when; give a day, "),
        ("{kind: poison, per_year: 3}", "when.kind", "'poison' is not known; give one of poisson, hawkes, sequence"),
        ("{kind: poisson}", "when.per_year", "missing; give a number above 0 and at most 10000"),
        ("{kind: poisson, per_yaer: 3}", "when.per_yaer", "unknown key; did you mean 'per_year'?"),
        ("{kind: hawkes, per_year: 3, branching: 1}", "when.branching", "1 is too large"),
        ("{from: 3}", "when.to", "missing; give a whole number of at least 0"),
        (
            "{after: flood}",
            "when.after",
            "no shock that is named 'flood' stands before this one; name one, and list it",
        ),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_its_place(kind: str, when: str, path: str, text: str) -> None:
    assert f"shocks.0.{path}: {text}" in refusal(f"shocks:\n  - kind: {kind}\n    when: {when}\n")


def test_what_follows_beyond_the_end_is_refused_where_the_scenario_says_so() -> None:
    text = "shocks:\n  - {kind: outage, name: flood, when: 100}\n  - {kind: outage, when: {after: flood, days: 80}}\n"
    assert "shocks.1.when: day 180, 80 days after flood, is beyond the last day 179; strike on an" in refusal(text)


def test_fewer_days_than_a_scenario_needs_are_refused_with_its_line(typed: Any) -> None:
    """`ecosim run tiny --days 10`, whose flood comes on day 30."""
    code, _, told = typed("run", "tiny", "--days", "10")
    assert code != 0
    assert "shocks.0.when: day 30 is beyond the last day 9" in told
    assert "set days: 31 or more" in told
    assert "tiny.yaml:" in told


def test_when_can_be_set_by_path_and_written_down() -> None:
    base = Scenario(days=180, economy=SMALL, shocks=[{"kind": "outage", "when": {"from": 3, "to": 9}}])
    later = base.with_({"shocks.0.when.to": 12})
    assert later.shocks[0].when.ends == (3, 12)  # type: ignore[attr-defined]
    for when in (
        {"kind": "poisson", "per_year": 2.0},
        {"kind": "hawkes", "per_year": 2.0, "each": "firm"},
        {"kind": "sequence", "events": 9, "from": 1, "to": 90, "burstiness": 0.1},
        {"after": "flood", "days": 3},
        {"replay": "events.csv", "first_day": "2020-01-01"},
    ):
        scenario = base.with_({"shocks.0.when": when})
        again = Scenario.from_yaml(scenario.to_yaml())
        assert again == scenario
        assert again.digest() == scenario.digest() != base.digest()


def test_the_schema_knows_every_way() -> None:
    import jsonschema

    from ecosim.config.editors import schema

    check = jsonschema.Draft202012Validator(schema())
    for good in (30, {"from": 1, "to": 2}, {"kind": "hawkes", "per_year": 2}, {"after": "a"}, {"replay": "a.csv"}):
        assert check.is_valid({"shocks": [{"kind": "outage", "when": good}]}), good
    for bad in ("soon", {"from": 1}, {"kind": "poison"}, {"per_year": 3}, -1):
        assert not check.is_valid({"shocks": [{"kind": "outage", "when": bad}]}), bad
    for severity in (0.3, {"a": 0.5}, {"kind": "pareto", "scale": 0.1}):
        assert check.is_valid({"shocks": [{"kind": "outage", "severity": severity}]}), severity


def test_unknown_keys_and_lists_are_scenario_errors() -> None:
    with pytest.raises(ScenarioError, match=r"shocks\.0\.when: \[3, 5\] is no day; give a day"):
        Scenario.from_yaml("shocks:\n  - kind: outage\n    when: [3, 5]\n")
