"""Profiles: presets are right, take the place of defaults alone, and are measured by their experiment."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ecosim
from ecosim import Ecosystem, InputError, Scenario
from ecosim.calibration.profiles import profile_of
from ecosim.config import ScenarioError, presets
from ecosim.config.kinds import known
from ecosim.parameters import parameters_page, profiles
from ecosim.spread import ROLES, Spread

EXPERIMENT = Path(__file__).parent.parent / "experiments" / "profiles.py"
WORLD = ecosim.load("default_world").with_({"profiles": False, "economy.firms": 200, "days": 20, "shocks": []})
SECTORS = ("manufacturing", "retail", "services", "technology")


def town(**changes) -> Scenario:
    return WORLD.with_({path.replace("__", "."): value for path, value in changes.items()})


def part(scenario: Scenario, kind: str):
    return next(part for part in scenario.mechanisms if part.kind == kind)


def columns(scenario: Scenario, days: int = 0) -> dict[str, np.ndarray]:
    eco = Ecosystem(scenario)
    eco.run_for(days)
    return dict(eco.world.firms.columns)


def profile(eco: Ecosystem) -> np.ndarray:
    firms = eco.world.plan.firms
    return np.array([profile_of(name) for name in firms.sector_names])[firms.sector]


# What ships ----------------------------------------------------------------------------------------------------------


def test_there_is_one_for_each_trade_role_and_sort_of_community():
    assert presets.of_firms() == ("manufacturing", "retail", "services", "smb", "supplier", "technology")
    assert presets.of_communities() == ("city", "small_town")


@pytest.mark.parametrize("name", presets.names())
def test_every_line_says_where_it_is_from(name):
    preset = presets.preset(name)
    assert preset.about
    for parameter, usual in preset.values.items():
        assert usual.source == "assumption" or any(letter.isdigit() for letter in usual.source), parameter
        assert usual.source != "assumption" or len(usual.why) > 10, f"{parameter}: say what stands for it"


def test_trades_and_roles_do_not_hide_each_other():
    """A trade wins over a role, so a parameter in both would be the role's in trades without a profile alone."""
    of_trades = {name for sector in SECTORS for name in presets.preset(sector).values}
    of_roles = {name for role in ROLES for name in presets.preset(role.lower()).values}
    assert not of_trades & of_roles


def test_the_measured_cash_of_trades_is_what_firms_aim_at():
    scenario = town(profiles=True)
    given = part(scenario, "finance").cash_days.model_copy(update={"sigma": 0.0})
    scenario = scenario.with_({"mechanisms.finance.cash_days": given})
    eco = Ecosystem(scenario)
    days = part(scenario, "finance").per_firm(eco.world, "cash_days")
    sector = np.array(eco.world.plan.firms.sector_names)[eco.world.plan.firms.sector]
    for words, median in (
        ("Manufacturing", 28), ("Retail", 19), ("Wholesale", 23), ("Information", 33), ("food services", 16),
        ("real estate", 47), ("health care", 30), ("Professional", 33), ("Utilities", 21), ("Mining", 27),
    ):  # fmt: skip
        assert set(days[np.char.find(sector, words) >= 0]) == {median}, words


def test_the_pages_of_parameters_tell_every_line():
    table = profiles()
    assert set(table["profile"]) == set(presets.names())
    page = parameters_page()
    for row in table.to_dict("records"):
        assert f"`{row['parameter']}` | {row['value']:g}" in page or row["sector"], row


# What they do to a scenario ------------------------------------------------------------------------------------------


def test_without_profiles_nothing_changes():
    for scenario in (WORLD, Scenario(), ecosim.load("tiny")):
        plain = scenario.with_({"profiles": False, "communities": {}})
        assert plain == scenario
        assert all(
            getattr(made, name) == field.get_default(call_default_factory=True)
            for made in plain.mechanisms
            for name, field in type(made).model_fields.items()
            if name not in made.model_fields_set
        )


def test_they_come_and_go():
    on = town(profiles=True)
    assert on != WORLD
    assert on.with_({"profiles": False}) == WORLD
    assert on.with_({"profiles": ["retail"]}) == town(profiles=["retail"])
    assert town(profiles=list(presets.of_firms())).mechanisms == on.mechanisms
    assert town(profiles=[]).mechanisms == WORLD.mechanisms
    assert on.with_({"communities": {"Harbour": "city"}}).with_({"communities": {}}) == on


def test_a_scenario_written_down_with_them_is_the_same():
    on = town(profiles=True, communities={"Harbour": "city", "Market": "small_town"})
    again = Scenario.from_yaml(on.to_yaml())
    assert (again, again.digest()) == (on, on.digest())
    one, other = columns(on, 10), columns(again, 10)
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name], err_msg=name)


def test_a_value_of_the_scenario_always_wins_even_if_it_is_the_default():
    text = "mechanisms: [{kind: autonomy, autonomy: 0.5}, {kind: customers, intimacy: {median: 0.9}}]"
    text += "\nprofiles: true\ncommunities: {Harbour: city}\neconomy: {kind: table, inventory_days: 15}"
    plain = Scenario.from_yaml(text)
    assert part(plain, "autonomy").autonomy == 0.5
    assert part(plain, "customers").intimacy == Spread(median=0.9)
    assert plain.economy.inventory_days == 15
    changed = town(profiles=True).with_({"mechanisms.autonomy.autonomy": 0.5})
    assert part(changed, "autonomy").autonomy == 0.5
    assert isinstance(part(town(profiles=True), "autonomy").autonomy, Spread)


def test_only_those_named_differ():
    eco = Ecosystem(town(profiles=["technology"]))
    told = part(eco.scenario, "autonomy").per_firm(eco.world, "autonomy")
    assert set(told[profile(eco) == "technology"]) == {0.7}
    assert set(told[profile(eco) != "technology"]) == {0.5}


def test_roles_are_what_firms_sell_to_whom():
    eco = Ecosystem(town(profiles=["smb", "supplier"]))
    told = part(eco.scenario, "continuity").per_firm(eco.world, "drills")
    role = eco.world.plan.firms.role
    assert [set(told[role == at]) for at in range(2)] == [{0.5}, {1.5}]


def test_communities_are_of_their_region():
    eco = Ecosystem(town(communities={"Harbour": "city", "Market": "small_town"}, profiles=True))
    region = np.array(eco.world.plan.firms.region_names)[eco.world.plan.firms.region]
    intimacy = eco.world.firms.intimacy
    assert [set(intimacy[region == name]) for name in ("Harbour", "Market")] == [{0.2}, {0.8}]
    assert set(intimacy[(region == "Station") & (profile(eco) == "services")]) == {0.6}


def test_stocks_differ_by_trade():
    scenario = Scenario.from_yaml("profiles: true\neconomy: {kind: table, firms: 200}\nmechanisms: [learning]\ndays: 5")
    eco = Ecosystem(scenario)
    firms, links = eco.world.firms, eco.world.links
    for trade, days in (("manufacturing", 20), ("retail", 25), ("technology", 10), ("construction", 15)):
        assert set(firms.inventory_days[profile(eco) == trade]) == {days}
    np.testing.assert_allclose(links.stock, firms.inventory_days[links.buyer] * links.flow)
    made = firms.production.copy()
    eco.run_for(5)
    np.testing.assert_allclose(firms.production, made, rtol=1e-9)


@pytest.mark.parametrize("kind", known("mechanisms"))
def test_they_contradict_no_mechanism_alone(kind):
    """What costs money is left alone where there is none."""
    needs = ecosim.config.find("mechanisms", kind).needs
    scenario = Scenario.from_yaml(
        f"profiles: true\neconomy: {{kind: table, firms: 60}}\nmechanisms: [{', '.join((*needs, kind))}]"
    )
    Ecosystem(scenario).run_for(1)


def test_the_default_world_rests_with_them():
    still = {"mechanisms": [one for one in WORLD.mechanisms if one.kind not in ("turnover", "experiments", "sourcing")]}
    eco = Ecosystem(town(profiles=True, communities={"Harbour": "city"}, days=100).with_(still))
    made = eco.world.firms.production.copy()
    eco.run_for(100)
    np.testing.assert_allclose(eco.world.firms.production, made, rtol=1e-9)


def test_words_in_the_name_of_a_sector_choose_it():
    eco = Ecosystem(town())
    level = Spread(law="normal", median=1, by={"*FOOD services*": 2, "services": 3, "Harbour": 4, "Mining": 5})
    told = level.draw(eco.world.streams["x"], eco.world.plan.firms)
    firms = eco.world.plan.firms
    sector, region = np.array(firms.sector_names)[firms.sector], np.array(firms.region_names)[firms.region]
    food, mining, here = np.char.find(sector, "food services") >= 0, sector == "Mining", region == "Harbour"
    assert (set(told[food]), set(told[mining])) == ({2}, {5})
    assert set(told[here & ~food & ~mining]) == {4}
    assert set(told[~here & ~food & (profile(eco) == "services")]) == {3}


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"profiles": ["retial"]}, r"profiles: there is no profile 'retial'; did you mean 'retail'\?"),
        ({"profiles": ["city"]}, r"profiles: 'city' is of communities; .*communities: \{Riverside: city\}"),
        ({"profiles": "retail"}, "profiles: 'retail' is text; give true or false or a list"),
        ({"communities": {"Harbour": "retail"}}, "communities: 'retail' is of firms; .* city or small_town"),
        ({"communities": {"Harbour": "town"}}, "communities: there is no profile 'town'"),
        ({"communities": {"Harbor": "city"}}, "communities: no region is named 'Harbor'; there are Riverside"),
        ({"economy.inventory_days": 0}, "economy.inventory_days: 0.* is out of range; give 1 to 365"),
        ({"economy.inventory_days": {"median": 400}}, "economy.inventory_days: 400.* give 1 to 365"),
    ],
)
def test_what_is_not_there_is_refused_with_the_mend(changes, words):
    with pytest.raises(ScenarioError, match=words):
        WORLD.with_(changes)


@pytest.mark.parametrize("mechanisms", [[], ["customers"], ["finance"]], ids=str)
def test_communities_of_no_region_of_an_imported_economy_are_refused(mechanisms, tmp_path):
    firms = "firm,sector,final_demand,region\nMill,Milling,20,North\nBakery,Baking,100,South\n"
    (tmp_path / "firms.csv").write_text(firms)
    (tmp_path / "links.csv").write_text("supplier,client,flow\nMill,Bakery,40\n")
    text = (
        "economy: {kind: given}\nnetwork: {kind: imported, firms: firms.csv, links: links.csv}\n"
        f"mechanisms: {mechanisms}\ncommunities: "
    )
    Ecosystem(Scenario.from_yaml(text + "{North: small_town}", base_dir=tmp_path))
    with pytest.raises(InputError, match=r"communities: no region is named 'Nord'; .*North"):
        Ecosystem(Scenario.from_yaml(text + "{Nord: small_town}", base_dir=tmp_path))


def test_stocks_of_nobody_are_refused_with_their_place():
    scenario = WORLD.with_({"economy.inventory_days": {"median": 15, "by": {"Baking": 20}}})
    with pytest.raises(InputError, match=r"economy\.inventory_days\.by: no sector, region, .* 'Baking'"):
        Ecosystem(scenario)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("finanze.cash_days: {value: 2, unit: days, source: x}", r"bad.yaml:3:3: .*no mechanism is called 'finanze'"),
        ("finance.cash: {value: 2, unit: days, source: x}", r"'cash' does not exist; did you mean 'cash_days'\?"),
        ("finance.grace_days: {value: 2, unit: days, source: x}", "'grace_days' cannot differ between firms"),
        ("autonomy.autonomy: {value: 2, unit: share, source: x}", r"bad.yaml:3:30: .*value: 2.0 is out of range"),
        ("autonomy.autonomy: {value: 1, unit: days, source: x}", "'days' is not the unit of .*; give it in share"),
        ("automation.adoption: {value: 0, unit: share of the rung's level, source: x}", "needs medians above 0"),
        ("autonomy.autonomy: {unit: share, source: x}", "autonomy.value: missing"),
        ("autonomy.autonomy: {value: 1, unit: share, source: x, sectors: {Retail: 3}}", r"sectors.Retail: 3.0 is out"),
        ("autonomy.autonomy: {value: 1, unit: share, source: x, reason: y}", "reason: unknown key"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_with_its_line(line, words, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(f"about: a trade\nvalues:\n  {line}\n")
    with pytest.raises(ScenarioError, match=words):
        presets.read(path)


# The experiment ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def experiment():
    spec = importlib.util.spec_from_file_location("profiles_experiment", EXPERIMENT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_experiment_weighs_worlds_by_seed(experiment):
    rows = [
        {"world": world, "shock": shock, "group": group, "seed": seed, "loss": seed + extra}
        for seed in (1, 2, 3)
        for world, extra in (("default", 0.0), ("profiles", 2.0), ("communities", -1.0))
        for shock in experiment.SHOCKS
        for group in experiment.GROUPS
    ]
    found = experiment.table(pd.DataFrame(rows)).set_index(["shock", "group"])
    assert found.loc[("outage", "retail"), ["default", "change", "change_ci"]].tolist() == [2, 2, 0]
    assert found.loc[("demand", "city"), "change"] == -1
    half = 4.302652729911275 / np.sqrt(3)  # Student's t with 2 degrees of freedom
    assert found["default_ci"].tolist() == pytest.approx([half] * len(found))


def test_the_experiment_changes_one_parameter_at_a_time(experiment):
    worlds = experiment.single(WORLD)
    assert "economy.inventory_days" in worlds
    for path, world in worlds.items():
        changed = [
            f"{one.kind}.{name}"
            for one, other in zip(world.mechanisms, WORLD.mechanisms, strict=True)
            for name in type(one).model_fields
            if getattr(one, name) != getattr(other, name)
        ]
        stock = [] if world.economy == WORLD.economy else ["economy.inventory_days"]
        assert changed + stock in ([path], []), path  # nothing where a profile repeats the default


def test_groups_part_the_firms(experiment):
    members = experiment.groups(Ecosystem(WORLD))
    for pair in (("SMB", "Supplier"), ("small_town", "city")):
        np.testing.assert_array_equal(members[pair[0]] ^ members[pair[1]], members["all"])
    assert sum(members[name].sum() for name in experiment.SECTORS) < members["all"].sum()
