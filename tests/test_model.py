"""The model: a Mesa model day by day, with Mesa's collector and events; its graph; economies that share nothing."""

from __future__ import annotations

import math
from pathlib import Path

import mesa
import networkx as nx
import numpy as np
import pytest
from mesa.time import EventGenerator, Priority, Schedule

from ecosim import SMB, Customer, Ecosystem, InputError, Scenario, Supplier, load
from ecosim.agents import Firm
from ecosim.state import CUSTOMER_COLUMNS, FIRM_COLUMNS
from ecosim.who import Who

ROOT = Path(__file__).resolve().parent.parent
TINY = load(ROOT / "configs/tiny.yaml")
MAIN = load(ROOT / "configs/main_street.yaml")
UNIFORM = Scenario(name="uniform", days=60).with_(
    {
        "economy": {"kind": "uniform", "firms": 120, "inputs": 3},
        "network": {"kind": "random", "suppliers": 4},
        "shocks": [{"kind": "outage", "when": 5, "who": {"share": 0.2}, "severity": 0.9}],
    }
)
PLANS_OF = {scenario.name: Ecosystem(scenario).world.plan for scenario in (TINY, MAIN, UNIFORM)}
DISTURBED = 40


def fresh(scenario=TINY, **options):
    return Ecosystem(scenario, blueprint=PLANS_OF[scenario.name], **options)


def arrays(eco):
    """Every array of a running economy that a day may change, by name."""
    world = eco.world
    found = {f"firms.{name}": column for name, column in world.firms.columns.items()}
    found |= {f"customers.{name}": column for name, column in world.customers.columns.items()}
    found |= {f"links.{name}": getattr(world.links, name) for name in ("stock", "ordered", "delivered")}
    found |= {f"sheet.{name}": values for name, values in world.sheet.multipliers.items()}
    found |= {f"memory.{who}.{name}": held for who, memory in world.memory.items() for name, held in memory.items()}
    return found | {"series": eco._series}


def assert_same(one, other):
    left, right = arrays(one), arrays(other)
    assert left.keys() == right.keys()
    for name, values in left.items():
        np.testing.assert_array_equal(values, right[name], err_msg=name)
    assert (one.day, one.steps, one.time, one.running) == (other.day, other.steps, other.time, other.running)


class Cautious(SMB):
    """Keeps three times the usual stock."""

    def setup(self):
        self.asked = 0

    def order(self):
        self.asked += 1
        use = self.flow * self.expected / self.output
        return np.maximum(0.0, use + (3 * self.inventory_days * use - self.stock) / self.smoothing_days)


# A Mesa model ---------------------------------------------------------------------------------------------------------


def test_the_private_names_of_mesa_that_the_model_relies_on_are_there():
    bare = mesa.Model(rng=1)
    assert isinstance(bare._default_schedule, EventGenerator)
    assert len(bare._event_list) == 1
    assert bare._default_schedule.next_scheduled_time == 1.0
    assert bare._default_schedule.priority == Priority.HIGH
    assert bare._default_schedule.schedule == Schedule(interval=1.0, start=1.0)
    assert bare._default_schedule in bare._event_generators
    assert bare._do_step.__func__ is mesa.Model._do_step
    assert bare.agents is bare._all_agents
    assert bare.agents_by_type is bare._agents_by_type
    assert bare.agents.random is bare.random
    assert bare.step.__func__ is mesa.Model._wrapped_step
    assert bare._user_step.__func__ is mesa.Model.step


def test_a_clock_can_be_moved_as_a_restored_model_moves_it():
    class Counting(mesa.Model):
        seen = ()

        def step(self):
            self.seen = (*self.seen, (self.steps, self.time))

    model = Counting(rng=1)
    model._default_schedule.stop()
    model._event_list.clear()
    model.steps, model.time = 7, 7.0
    again = EventGenerator(model, model._do_step, Schedule(interval=1.0, start=8.0), priority=Priority.HIGH)
    model._default_schedule = again.start()
    assert model._default_schedule is again
    model.run_for(3)
    assert model.seen == ((8, 8.0), (9, 9.0), (10, 10.0))


def test_an_ecosystem_is_a_mesa_model():
    eco = fresh()
    assert isinstance(eco, mesa.Model)
    assert eco.agents is eco._all_agents
    assert eco.agents_by_type is eco._agents_by_type
    assert eco.agent_types == [SMB, Supplier, Customer]
    assert eco.scenario is TINY
    assert (eco.day, eco.steps, eco.time, eco.running) == (-1, 0, 0.0, True)
    with pytest.raises(AttributeError, match=r"set model\.agents"):
        eco.agents = []


@pytest.mark.parametrize(
    "live", [lambda eco: [eco.step() for _ in range(9)], lambda eco: eco.run_for(9), lambda eco: eco.run_until(9)]
)
def test_every_way_to_let_days_pass_is_the_same(live):
    eco, other = fresh(rng=3), fresh(rng=3)
    live(eco)
    for days in (4, 1, 2, 2):
        other.run_for(days)
    assert_same(eco, other)
    assert (eco.day, eco.steps, eco.time) == (8, 9, 9.0)
    assert eco.series.index.tolist() == list(range(-1, 9))


def test_parts_of_a_day_pass_without_a_day():
    eco = fresh()
    eco.run_for(0.5)
    assert (eco.day, eco.time) == (-1, 0.5)
    eco.run_for(0.5)
    assert (eco.day, eco.time) == (0, 1.0)


def test_a_model_runs_as_long_as_its_scenario_says():
    eco = fresh(TINY.with_({"days": 12, "shocks.0.when": 5}))
    eco.run_model()
    assert (eco.day, eco.steps, eco.running) == (11, 12, False)
    assert len(eco.series) == 13
    eco.run_model()
    assert eco.day == 11
    before = eco.series
    eco.run_for(5)  # who asks for more gets it
    assert eco.day == 16
    np.testing.assert_array_equal(eco.series.iloc[:13], before)
    assert eco.series.notna().all(axis=None)


def test_the_series_are_sums_over_the_columns():
    eco = fresh(MAIN)
    rest = eco.series
    assert rest.index.tolist() == [-1]
    eco.run_for(DISTURBED)
    firms, last = eco.world.firms, eco.series.loc[DISTURBED - 1]
    assert last["total_production"] == pytest.approx(firms.production.sum())
    assert last["value_added"] == pytest.approx((firms.production * firms.value_added_share).sum())
    assert last["final_consumption"] == pytest.approx(firms.consumption.sum())
    assert last["unmet_demand"] == pytest.approx(firms.wanted.sum() - firms.consumption.sum())
    assert last["goods_lost"] == pytest.approx(firms.lost.sum())
    assert last["capacity_lost"] == pytest.approx(firms.output.sum() - firms.capacity.sum())
    assert last["stock"] == pytest.approx(eco.world.links.stock.sum())
    assert last["firms_failing"] == (firms.production < 0.5 * firms.output).sum() > 0
    assert firms.produced.sum() == pytest.approx(eco.series.loc[0:, "total_production"].sum())
    people = eco.world.customers
    assert people.spent.sum() == pytest.approx(last["final_consumption"])
    assert people.unmet.sum() == pytest.approx(last["unmet_demand"])


@pytest.mark.parametrize("rng", [4, np.int32(4), np.uint64(4)])
def test_the_same_seed_gives_the_same_economy(rng):
    eco, other = Ecosystem(UNIFORM, rng=rng), Ecosystem(UNIFORM.with_({"seed": 4}))
    np.testing.assert_array_equal(eco.world.plan.supplier, other.world.plan.supplier)
    for each in (eco, other):
        each.run_for(10)
    assert_same(eco, other)
    assert eco.seed == other.seed == 4
    assert eco.random.random() == other.random.random()
    assert eco.rng.random() == other.rng.random()


def test_a_generator_gives_a_seed():
    one, other = (Ecosystem(UNIFORM, rng=np.random.default_rng(9)) for _ in range(2))
    third = Ecosystem(UNIFORM, rng=np.random.default_rng(10))
    assert one.seed == other.seed != third.seed
    np.testing.assert_array_equal(one.world.plan.supplier, other.world.plan.supplier)
    assert not np.array_equal(one.world.plan.supplier, third.world.plan.supplier)


@pytest.mark.parametrize("rng", [True, 1.0, "1", [1]])
def test_what_is_no_seed_is_refused(rng):
    with pytest.raises(TypeError, match="give a seed"):
        fresh(rng=rng)


def test_a_negative_seed_is_refused():
    with pytest.raises(InputError, match="rng = -1"):
        fresh(rng=-1)


def test_two_shocks_of_one_name_are_refused():
    shock = {"kind": "outage", "name": "flood"}
    with pytest.raises(InputError, match=r"shocks.1.name: 'flood' is taken by shocks.0"):
        fresh(TINY.with_({"shocks": [shock, {**shock, "when": 3}]}))


# Mesa's collector and events ------------------------------------------------------------------------------------------


def total(model):
    return model.world.firms.production.sum()


def test_mesas_collector_collects():
    eco = fresh(agents={Cautious: Who(firms=("Inn", "Cafe"))})
    collector = mesa.DataCollector(
        model_reporters={
            "day": "day",
            "made": total,
            "agents": lambda model: len(model.agents),
            "top": [max, [3, 4]],
            "failing": lambda model: int((model.world.firms.failed_on >= 0).sum()),
        },
        agent_reporters={"name": "name", "number": lambda agent: agent.unique_id},
        agenttype_reporters={
            SMB: {"production": "production"},
            Cautious: {"asked": "asked"},
            Customer: {"spent": "spent", "unmet": lambda agent: agent.unmet},
            Firm: {"stock": lambda agent: float(agent.stock.sum())},
        },
    )
    eco.run_for(28)
    made, spent, stocks = [], [], []
    for _ in range(6):
        eco.step()
        collector.collect(eco)
        made.append(eco.world.firms.production.copy())
        spent.append(eco.world.customers.spent.copy())
        stocks.append(eco.world.links.stock.sum())
    model = collector.get_model_vars_dataframe()
    assert model["day"].tolist() == list(range(28, 34))
    assert model["made"].tolist() == eco.series["total_production"].loc[28:].tolist()
    assert model["agents"].tolist() == [32] * 6
    assert model["top"].tolist() == [4] * 6
    assert model["failing"].tolist()[:2] == [0, 0]
    assert model["failing"].iloc[-1] > 5
    agents = collector.get_agent_vars_dataframe()
    assert len(agents) == 6 * 32
    assert agents.loc[29.0, "name"].tolist() == [agent.name for agent in eco.agents]
    assert (agents["number"] == agents.index.get_level_values("AgentID")).all()
    kinds = {cls: collector.get_agenttype_vars_dataframe(cls) for cls in (SMB, Cautious, Customer, Firm)}
    for at, time in enumerate(np.arange(29.0, 35.0)):
        assert kinds[SMB].loc[time, "production"].tolist() == made[at][eco.agents_by_type[SMB].rows].tolist()
        assert kinds[Customer].loc[time, "spent"].tolist() == spent[at].tolist()
        assert kinds[Cautious].loc[time, "asked"].tolist() == [time, time]
        assert len(kinds[Firm].loc[time]) == 30
        assert kinds[Firm].loc[time, "stock"].sum() == pytest.approx(stocks[at])


def test_watching_changes_nothing():
    watched, alone = fresh(), fresh()
    collector = mesa.DataCollector({"series": lambda model: len(model.series)}, {"output": lambda agent: agent.pos})
    for _ in range(DISTURBED):
        watched.step()
        collector.collect(watched)
        watched.agents.shuffle().do("step")
        watched.graph()
    alone.run_for(DISTURBED)
    assert_same(watched, alone)


def test_events_of_mesa_happen_between_the_days():
    eco = fresh()
    seen = []

    def once():
        seen.append(("once", eco.time, eco.day))

    def often():
        seen.append(("often", eco.time, eco.day))

    def never():
        seen.append(("never", eco.time, eco.day))

    eco.schedule_event(once, at=2.5)
    eco.schedule_event(once, after=4.0, priority=Priority.LOW)
    eco.schedule_event(never, at=3.5).cancel()
    generator = eco.schedule_recurring(often, Schedule(interval=2.0, start=1.0, count=3))
    eco.run_for(2)
    eco.step()
    eco.run_until(7)
    # On the hour, the day comes first, then what was planned for its evening.
    assert seen == [
        ("often", 1.0, 0),
        ("once", 2.5, 1),
        ("often", 3.0, 2),
        ("once", 4.0, 3),
        ("often", 5.0, 4),
    ]
    assert not generator.is_active
    assert (eco.day, eco.steps, eco.time) == (6, 7, 7.0)
    alone = fresh()
    alone.run_for(7)
    assert_same(eco, alone)


def test_an_event_can_change_plans():
    eco, alone = fresh(), fresh()
    butcher = next(agent for agent in eco.agents if agent.name == "Butcher")

    def stock_up():
        butcher.inventory_days = 30.0

    eco.schedule_event(stock_up, at=10)
    for each in (eco, alone):
        each.run_for(10)
    changed = eco.world.firms.inventory_days != alone.world.firms.inventory_days
    assert np.flatnonzero(changed).tolist() == [butcher.unique_id - 1]
    np.testing.assert_array_equal(eco.world.firms.production, alone.world.firms.production)
    for each in (eco, alone):
        each.run_for(1)
    assert (butcher.ordered > alone.agents[butcher.unique_id - 1].ordered).all()


# Economies side by side -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", [TINY, MAIN, UNIFORM], ids=lambda scenario: scenario.name)
def test_two_economies_live_side_by_side_as_they_do_alone(scenario):
    mild = scenario.with_({"shocks.0.severity": 0.2})
    pair = [fresh(scenario, agents={Cautious: Who(count=3)}), fresh(mild)]
    for day in range(DISTURBED):
        pair[0].run_for(1)
        pair[1].run_for(1)
        if day % 10 == 0:
            pair[day // 10 % 2].agents.shuffle_do(lambda agent: setattr(agent, "seen", True))
            pair[day // 10 % 2].random.random()
    alone = [fresh(scenario, agents={Cautious: Who(count=3)}), fresh(mild)]
    for one, other in zip(pair, alone, strict=True):
        other.run_for(DISTURBED)
        assert_same(one, other)
    assert not np.array_equal(pair[0]._series, pair[1]._series)


def test_economies_of_one_blueprint_share_nothing_that_changes():
    one, other = fresh(), fresh()
    for name, values in arrays(one).items():
        assert not np.shares_memory(values, arrays(other)[name]), name
    plan = PLANS_OF["tiny"]
    before = {name: getattr(plan, name).copy() for name in ("ptr", "supplier", "product", "flow", "importance")}
    before |= {name: getattr(plan.firms, name).copy() for name in ("final_demand", "sector", "role", "size")}
    one.run_for(DISTURBED)
    for name, values in before.items():
        np.testing.assert_array_equal(getattr(plan if hasattr(plan, name) else plan.firms, name), values)
    assert one.random is not other.random
    assert one.roster is not other.roster
    assert one.agents[3] is not other.agents[3]
    assert other.day == -1


@pytest.mark.parametrize("scenario", [TINY, MAIN, UNIFORM], ids=lambda scenario: scenario.name)
def test_the_twin_stays_at_rest_to_the_bit_and_leaves_the_economy_alone(scenario):
    eco, alone = fresh(scenario), fresh(scenario)
    twin = eco.twin()
    assert twin.scenario.shocks == ()
    for _ in range(DISTURBED):
        eco.run_for(1)
        twin.run_for(1)
    alone.run_for(DISTURBED)
    assert_same(eco, alone)
    rest = fresh(scenario)
    for name, column in rest.world.firms.columns.items():
        if name not in {"ceiling", "produced"}:
            np.testing.assert_array_equal(twin.world.firms.columns[name], column, err_msg=name)
    assert (twin.series == twin.series.iloc[0]).all(axis=None)
    assert eco.series["total_production"].min() < 0.9 * twin.series["total_production"].min()


# The graph ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", [TINY, MAIN, UNIFORM], ids=lambda scenario: scenario.name)
def test_the_graph_holds_the_whole_economy(scenario):
    eco = fresh(scenario, agents={Cautious: Who(count=4)})
    eco.run_for(DISTURBED)
    graph, world = eco.graph(), eco.world
    firms, links, plan = world.firms, world.links, world.plan
    assert type(graph) is nx.DiGraph
    assert graph.number_of_nodes() == firms.rows + world.customers.rows
    sellers = np.count_nonzero(firms.final_demand > 0)
    assert graph.number_of_edges() == len(links) + sellers
    layers = {"supply": [], "demand": []}
    for supplier, client, data in graph.edges(data=True):
        layers[data["layer"]].append((supplier, client, data))
    assert [len(layers[layer]) for layer in ("supply", "demand")] == [len(links), sellers]
    names = [plan.firm_name(row) for row in range(firms.rows)]
    for agent, name in zip(eco.agents, [*names, *plan.customer_names], strict=True):
        data = dict(graph.nodes[name])
        assert data.pop("type") == type(agent).__name__
        kept = FIRM_COLUMNS if isinstance(agent, Firm) else CUSTOMER_COLUMNS
        assert {key: data.pop(key) for key in kept} == {key: getattr(agent, key) for key in kept}
        if isinstance(agent, Firm):
            assert (data.pop("sector"), data.pop("region")) == (agent.sector, agent.region)
            assert (data.pop("x"), data.pop("y")) == (plan.firms.x[agent._row], plan.firms.y[agent._row])
        assert not data
    inflow, outflow = graph.in_degree(weight="flow"), graph.out_degree(weight="flow")
    for row, name in enumerate(names):
        assert outflow[name] == pytest.approx(firms.output[row])
        assert outflow[name] - inflow[name] == pytest.approx(firms.value_added_share[row] * firms.output[row])
    for row, name in enumerate(plan.customer_names):
        assert inflow[name] == pytest.approx(world.customers.budget[row])
        assert graph.in_degree(weight="delivered")[name] == pytest.approx(world.customers.spent[row])
    for name in ("flow", "stock", "ordered", "delivered"):
        assert sum(data[name] for *_, data in layers["supply"]) == pytest.approx(getattr(links, name).sum())
    where = {name: row for row, name in enumerate(names)}
    at = {pair: k for k, pair in enumerate(zip(links.supplier.tolist(), links.buyer.tolist(), strict=True))}
    assert len(at) == len(links)
    for supplier, client, data in layers["supply"]:
        k = at[where[supplier], where[client]]
        assert set(data) == {"layer", "product", "importance", "flow", "stock", "ordered", "delivered"}
        assert (data["flow"], data["stock"]) == (links.flow[k], links.stock[k])
        assert (data["ordered"], data["delivered"]) == (links.ordered[k], links.delivered[k])
        assert data["product"] == links.product[k]
        assert data["importance"] == ("other", "important", "essential")[links.importance[k]]


def test_the_graph_of_the_town_is_what_its_file_says():
    graph = fresh().graph()
    assert graph.number_of_nodes() == 32
    assert graph.number_of_edges() == 80 + 30
    assert graph.edges["Grain Farm", "Old Mill"]["flow"] == 160
    assert graph.edges["Accountant", "Builder"]["importance"] == "other"
    assert graph.edges["Printer", "Pharmacy"]["importance"] == "important"
    assert graph.edges["Inn", "Visitors"] == {"layer": "demand", "flow": 800.0, "delivered": 800.0}
    assert graph.nodes["Old Mill"]["sector"] == "Flour milling"
    assert graph.nodes["Old Mill"]["type"] == "Supplier"
    assert math.isclose(graph.nodes["Visitors"]["budget"], 40 + 20 + 300 + 650 + 900 + 800 + 400 + 260)


def test_the_graph_is_a_copy_and_can_be_written(tmp_path):
    eco = fresh()
    eco.run_for(DISTURBED)
    graph, alone = eco.graph(), fresh()
    for _, _, data in graph.edges(data=True):
        data["stock"] = 0.0
    graph.remove_node("Inn")
    eco.run_for(3)
    alone.run_for(DISTURBED + 3)
    assert_same(eco, alone)
    nx.write_graphml(graph, tmp_path / "town.graphml")
    read = nx.read_graphml(tmp_path / "town.graphml")
    assert dict(read.nodes["Bakery"]) == dict(graph.nodes["Bakery"])
    assert read.number_of_edges() == graph.number_of_edges()


def test_a_firm_named_as_a_community_is_another_node_or_is_refused():
    network = {
        "kind": "imported",
        "firms": [
            {"firm": "Town", "sector": "Trade", "final_demand": 100, "customer": "Town"},
            {"firm": "Mill", "sector": "Flour", "final_demand": 50, "customer": "Town"},
        ],
        "links": [{"supplier": "Mill", "client": "Town", "flow": 20}],
    }
    graph, refusal = None, "Town"
    try:
        graph = Ecosystem(Scenario().with_({"economy": {"kind": "given"}, "network": network})).graph()
    except InputError as error:
        refusal = str(error)
    assert "Town" in refusal
    assert graph is None or (graph.number_of_nodes(), graph.number_of_edges()) == (3, 3)
