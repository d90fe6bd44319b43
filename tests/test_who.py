"""Whom a shock concerns: the largest by what passes through them, firms struck together, and whom it passes to."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from ecosim import InputError, Scenario
from ecosim.config import ScenarioError
from ecosim.model import Ecosystem
from ecosim.published import esri
from ecosim.rng import Stream, Streams
from ecosim.shocks.contagion import Contagion
from ecosim.who import Who, largest
from ecosim.who.together import Together

TABLE = {"kind": "table", "firms": 150}


def town(*shocks: dict[str, Any], days: int = 60, **parts: Any) -> Ecosystem:
    parts.setdefault("economy", TABLE)
    return Ecosystem(Scenario(days=days, shocks=[{"kind": "outage", **shock} for shock in shocks], **parts))


def hit(eco: Ecosystem, name: str = "outage") -> set[tuple[int, int, float]]:
    kept = eco.world.memory[name]
    return set(zip(kept["rows"].tolist(), kept["day"].tolist(), kept["first"].tolist(), strict=True))


def picked(eco: Ecosystem, **who: Any) -> list[int]:
    return Who(**who).pick(eco.world, Stream(1, 0, "test")).tolist()


# --- the largest ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", ["reconstructed", "small_world", "scale_free"])
def test_load_is_the_betweenness_that_networkx_finds(network: str) -> None:
    eco = town(network={"kind": network})
    plan = eco.world.plan
    flows = pd.DataFrame({"a": plan.supplier, "b": plan.buyer, "flow": plan.flow}).groupby(["a", "b"])["flow"].sum()
    graph = nx.DiGraph()
    graph.add_nodes_from(range(150))
    graph.add_weighted_edges_from((a, b, 1.0 / flow) for (a, b), flow in flows.items())
    expected = nx.betweenness_centrality(graph, weight="weight", normalized=False)
    rows = np.arange(150)
    found = largest.load(eco.world, rows, Stream(1, 0, "test"), "who")
    np.testing.assert_allclose(found, [expected[row] for row in rows], rtol=1e-9, atol=1e-9)
    order = np.argsort(-found, kind="stable")
    assert picked(eco, top=5, by="load") == sorted(order[:5].tolist())
    assert found[order[0]] > 0


def test_equal_paths_share_what_passes() -> None:
    """Two ways of equal length from a to d: b and c carry half each, and e, behind d, makes d carry all."""
    links = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e")]
    network = {
        "kind": "imported",
        "firms": [{"firm": name, "sector": name, "final_demand": 64.0} for name in "abcde"],
        "links": [{"supplier": one, "client": other, "flow": 8.0} for one, other in links],
    }
    eco = town(economy={"kind": "given"}, network=network)
    found = largest.load(eco.world, np.arange(5), Stream(1, 0, "test"), "who")
    assert found.tolist() == [0.0, 1.0, 1.0, 3.0, 0.0]  # b: half of a-d and of a-e; d: a-e, b-e, c-e


def test_pivots_come_near_the_load_from_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    eco = town(economy={"kind": "table", "firms": 400})
    rows = np.arange(400)
    whole = largest.load(eco.world, rows, Stream(1, 0, "test"), "who")
    monkeypatch.setattr(largest, "EXACT", 100)
    monkeypatch.setattr(largest, "PIVOTS", 200)
    half = largest.load(eco.world, rows, Stream(1, 0, "test"), "who")
    assert not np.array_equal(half, whole)
    np.testing.assert_array_equal(half, largest.load(eco.world, rows, Stream(1, 0, "test"), "who"))
    assert np.corrcoef(whole, 2.0 * half)[0, 1] > 0.95, "measured 0.99 when written"
    assert 2.0 * half.sum() == pytest.approx(whole.sum(), rel=0.15)


def test_esri_is_that_of_the_published_index() -> None:
    importance = {"Information": "important", "Government": "other", "Construction": "important"}
    eco = town(economy={**TABLE, "importance": importance})
    plan, made = eco.world.plan, eco.world.firms.output
    sectors = list(plan.firms.sector_names)
    needs = pd.DataFrame(2, index=range(len(sectors)), columns=range(len(sectors)))
    for name, level in importance.items():
        needs.loc[sectors.index(name)] = {"important": 1, "other": 0}[level]
    firms = pd.DataFrame({"sector": plan.firms.sector, "market": plan.firms.sector, "revenue": made, "weight": made})
    links = pd.DataFrame({"supplier": plan.supplier, "client": plan.buyer, "flow": plan.flow})
    expected = esri(firms, links, essential=needs).esri.to_numpy()
    rows = np.arange(0, 150, 2)
    found = largest.esri(eco.world, rows, Stream(1, 0, "test"), "who")
    np.testing.assert_allclose(found, expected[rows], rtol=0, atol=1e-12)
    best = np.argsort(-expected, kind="stable")[:4]
    assert picked(eco, top=4, by="esri") == sorted(best.tolist())
    assert expected.max() > 2 * np.median(expected)


def test_esri_of_too_many_firms_is_refused_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(largest, "MOST_CASCADES", 150 * 149)
    with pytest.raises(InputError, match=r"who\.by: .* 150 firms among 150 would take hours .*; choose among fewer"):
        picked(town(), top=3, by="esri")
    assert len(picked(town(), top=3, by="esri", type="SMB")) == 3


def test_degree_counts_clients_and_suppliers() -> None:
    eco = town(network={"kind": "scale_free"})
    links = eco.world.links
    degree = np.bincount(links.supplier, minlength=150) + np.bincount(links.buyer, minlength=150)
    chosen = picked(eco, top=6, by="degree")
    assert degree[chosen].min() >= np.delete(degree, chosen).max()


# --- together ---------------------------------------------------------------------------------------------------------


def joint(correlation: float, nu: float | None, share: float) -> float:
    """Chance that the second of two firms is struck, given that the first is, by quadrature of the copula."""
    law = stats.norm if nu is None else stats.t(nu)
    edge = law.ppf(share)

    def density(x: float) -> float:
        spread = 1.0 - correlation**2
        if nu is None:
            return stats.norm.pdf(x) * stats.norm.cdf((edge - correlation * x) / np.sqrt(spread))
        scale = np.sqrt((nu + x * x) * spread / (nu + 1.0))
        return law.pdf(x) * stats.t.cdf((edge - correlation * x) / scale, nu + 1.0)

    return integrate.quad(density, -np.inf, edge)[0] / share


def test_the_joint_tail_of_a_gaussian_copula_is_almost_nothing_and_that_of_a_t_copula_is_not() -> None:
    """The figures of the docstring; the first is the 0.015 of the design paper."""
    assert joint(0.3, None, 0.001) == pytest.approx(0.0149, abs=5e-5)
    assert joint(0.3, 3.0, 0.001) == pytest.approx(0.2193, abs=5e-5)


@pytest.mark.parametrize(("nu", "share"), [(None, 0.001), (3.0, 0.001), (4.0, 0.001), (None, 0.2), (3.0, 0.2)])
def test_pairs_are_struck_together_as_often_as_the_copula_says(nu: float | None, share: float) -> None:
    from ecosim.blueprint import Blueprint

    pairs = 300_000 if share < 0.01 else 100_000
    group = np.repeat(np.arange(pairs, dtype=np.int32), 2)

    class Pairs:
        firms = type("Firms", (), {"region": group, "sector": group, "__len__": lambda self: 2 * pairs})()
        customer = group

    plan: Blueprint = Pairs()  # type: ignore[assignment]
    law = Together(within="region", correlation=0.3, nu=nu)
    struck = law.chosen(share, np.arange(2 * pairs), plan, Stream(1, 0, "pairs"), 0).reshape(-1, 2)
    marginal = struck.mean()
    both, expected = struck.all(axis=1).mean(), share * joint(0.3, nu, share)
    assert marginal == pytest.approx(share, abs=5 * np.sqrt(share / (2 * pairs)))
    assert both == pytest.approx(expected, abs=5 * np.sqrt(expected / pairs))


def test_correlation_one_strikes_all_of_a_group_or_none() -> None:
    for nu in (None, 3.0, "inf"):
        eco = town(
            {
                "who": {"share": 0.5, "together": {"within": "region", "correlation": 1, "nu": nu}},
                "when": {"kind": "sequence", "events": 12, "from": 0, "to": 59, "burstiness": -1},
            }
        )
        kept, region = eco.world.memory["outage"], eco.world.plan.firms.region
        sizes = np.bincount(region)
        seen = set()
        for strike in range(12):
            count = np.bincount(region[kept["rows"][kept["number"] == strike]], minlength=len(sizes))
            assert set(np.flatnonzero(count)) == set(np.flatnonzero(count == sizes))
            seen.add(tuple(np.flatnonzero(count)))
        assert len(seen) > 3


@pytest.mark.parametrize(
    ("who", "text"),
    [
        (
            "{share: 0.1, together: {correlation: 1.2}}",
            "who.together.correlation: 1.2: the firms of a group cannot be more",
        ),
        (
            "{share: 0.1, together: {correlation: -0.2}}",
            "who.together.correlation: -0.2: the firms of a group cannot all",
        ),
        ("{share: 0.1, together: {nu: 2}}", "who.together.nu: 2.0 degrees of freedom are too few; give 3 or more"),
        ("{count: 4, together: {}}", "who.together: count fixes their number; give share"),
        ("{together: {}}", "who.together: give share, the chance of each firm"),
        ("{share: 0.1, together: {within: street}}", "who.together.within: 'street' is not known; give one of region"),
    ],
)
def test_an_impossible_copula_is_refused_with_its_place(who: str, text: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        Scenario.from_yaml(f"shocks:\n  - kind: outage\n    who: {who}\n", name="x.yaml")
    assert f"shocks.0.{text}" in str(refused.value)
    assert str(refused.value).startswith("x.yaml:3:")


@pytest.mark.parametrize("when", [3, {"kind": "poisson", "per_year": 50, "each": "firm"}], ids=str)
@pytest.mark.parametrize("contagion", [None, {"along": "clients"}], ids=str)
def test_nobody_by_chance_is_told_and_not_refused(when: Any, contagion: Any) -> None:
    eco = town({"who": {"share": 1e-9, "together": {}}, "when": when, "contagion": contagion})
    assert eco.world.remarks == ["outage hits nobody: by chance no firm was struck on any of 60 days."]
    eco.run_for(60)
    assert not eco.world.events
    assert not eco.twin().world.remarks


# --- whom another shock hits ------------------------------------------------------------------------------------------


def test_those_whom_another_shock_hits() -> None:
    first = {"name": "flood", "who": {"count": 12}}
    eco = town(first, {"name": "fire", "who": {"hit_by": "flood", "share": 0.5}})
    flood, fire = (eco.world.memory[name]["rows"] for name in ("flood", "fire"))
    assert set(fire) < set(flood)
    assert len(fire) == 6
    with pytest.raises(InputError, match=r"shocks\.0\.who\.hit_by: no shock that is named 'flood' stands before"):
        town({"name": "fire", "who": {"hit_by": "flood"}}, first)
    with pytest.raises(InputError, match=r"named 'floot' stands before this one; did you mean 'flood'\?; name one"):
        town(first, {"name": "fire", "who": {"hit_by": "floot"}})


# --- contagion --------------------------------------------------------------------------------------------------------


def chain(firms: int) -> dict[str, Any]:
    links = [{"supplier": f"f{i}", "client": f"f{i + 1}", "flow": 1.0} for i in range(firms - 1)]
    return {
        "kind": "imported",
        "firms": [{"firm": f"f{i}", "sector": "s", "final_demand": 64.0} for i in range(firms)],
        "links": links,
    }


@pytest.mark.parametrize(
    ("along", "expected"),
    [
        ("clients", {3: 5, 4: 6, 5: 7, 6: 8}),
        ("suppliers", {3: 5, 2: 6, 1: 7, 0: 8}),
        ("neighbours", {3: 5, 2: 6, 4: 6, 1: 7, 5: 7, 0: 8, 6: 8}),
        ("sector", dict.fromkeys((0, 1, 2, 4, 5, 6), 6) | {3: 5}),
    ],
)
def test_what_passes_for_certain_moves_a_step_a_day(along: str, expected: dict[int, int]) -> None:
    shock = {"who": {"firms": "f3"}, "when": 5, "severity": 0.5, "contagion": {"along": along, "chance": 1, "days": 1}}
    eco = town(shock, economy={"kind": "given"}, network=chain(7))
    assert {row: day for row, day, _ in hit(eco)} == expected
    short = {**shock, "contagion": {**shock["contagion"], "reach_days": 1}}
    eco = town(short, economy={"kind": "given"}, network=chain(7))
    assert {row: day for row, day, _ in hit(eco)} == {row: day for row, day in expected.items() if day <= 6}
    eco = town({**shock, "when": 58}, economy={"kind": "given"}, network=chain(7))
    assert max(day for _, day, _ in hit(eco)) == 59  # the last day


def test_how_many_catch_it_is_what_the_chances_say() -> None:
    """A star of 4000: the hub passes it on for 3 days, so each spoke is struck with 1 - 0.9^3."""
    spokes = 4000
    world: Any = type("World", (), {})()
    world.plan = type("Plan", (), {})()
    world.plan.firms = type("Firms", (), {"region": 0, "sector": 0, "__len__": lambda self: spokes + 1})()
    world.plan.customer = 0
    world.plan.supplier = np.zeros(spokes, dtype=np.int64)
    world.plan.buyer = np.arange(1, spokes + 1)
    world.plan.flow = np.ones(spokes)
    world.firms, world.horizon = type("Table", (), {"rows": spokes + 1})(), 100
    law = Contagion(along="clients", chance=0.1, days=3)
    rows, days = law.spread(world, np.array([0]), np.array([7]), Stream(1, 0, "star"), 0, "contagion")
    chances = [0.1, 0.9 * 0.1, 0.81 * 0.1]
    for day, chance in zip((8, 9, 10), chances, strict=True):
        assert (days == day).sum() == pytest.approx(spokes * chance, abs=5 * np.sqrt(spokes * chance))
    assert len(rows) == (days <= 10).sum()


def test_each_strike_is_a_wave_of_its_own_and_equal_networks_catch_the_same() -> None:
    shock = {
        "who": {"count": 2},
        "when": {"kind": "sequence", "events": 4, "from": 0, "to": 50, "burstiness": -1},
        "contagion": {"along": "region", "chance": 0.02, "days": 4, "reach_days": 12},
    }
    one, other = town(shock), town(shock, network={"kind": "ring"}, mechanisms=["learning"])
    assert hit(one) == hit(other)
    kept = one.world.memory["outage"]
    assert len(np.unique(kept["rows"])) < len(kept["rows"])
    for wave in range(4):
        rows = kept["rows"][kept["number"] == wave]
        assert len(np.unique(rows)) == len(rows) > 2
    own = kept["origin"] < 2
    assert own.sum() == 8
    region = one.world.plan.firms.region
    assert set(region[kept["rows"][~own]]) <= set(region[kept["rows"][own]])


def test_partners_catch_it_where_there_are_any() -> None:
    shock = {"who": {"count": 3}, "contagion": {"along": "partners", "chance": 1, "days": 1, "reach_days": 1}}
    with pytest.raises(InputError, match=r"shocks\.0\.contagion\.along: firms have no partners .*add \{kind: coll"):
        town(shock)
    eco = town(shock, mechanisms=["collaboration"])
    kept, partners = eco.world.memory["outage"], eco.world.memory["collaboration"]
    own = kept["rows"][kept["day"] == 0]
    theirs = {int(p) for row in own for p in partners["partner"][partners["ptr"][row] : partners["ptr"][row + 1]]}
    assert set(kept["rows"][kept["day"] == 1].tolist()) == theirs - set(own.tolist())
    assert theirs


# --- pairing ----------------------------------------------------------------------------------------------------------

OTHERS = {"name": "other", "who": {"share": 0.3}, "when": {"kind": "poisson", "per_year": 20}, "severity": 0.2}
SHOCKS: dict[str, dict[str, Any]] = {
    "a share": {"who": {"share": 0.2}, "when": {"from": 0, "to": 59}, "severity": {"kind": "pareto", "scale": 0.2}},
    "together": {
        "who": {"share": 0.2, "together": {"within": "sector"}},
        "when": {"kind": "hawkes", "per_year": 20},
        "severity": {"kind": "lognormal", "median": 3, "unit": "firm_days"},
    },
    "each": {
        "when": {"kind": "hawkes", "per_year": 2, "branching": 0.5, "each": "firm"},
        "severity": {"kind": "beta"},
    },
    "contagious": {
        "who": {"region": "Riverside", "count": 2},
        "when": 3,
        "severity": {"kind": "uniform"},
        "contagion": {"along": "sector", "chance": 0.02},
    },
    "in bursts": {
        "who": {"count": 3},
        "when": {"kind": "sequence", "events": 9, "from": 3, "to": 50, "burstiness": 0.3},
    },
}


@pytest.mark.parametrize("kind", SHOCKS)
@pytest.mark.parametrize("seed", [1, 5])
def test_a_shock_hits_the_same_firms_as_hard_on_the_same_days_whatever_else_differs(kind: str, seed: int) -> None:
    shock = {"name": "flood", **SHOCKS[kind]}
    plain = town(shock, seed=seed)
    elsewhere = town(
        {**OTHERS, "name": "before"},
        shock,
        OTHERS,
        seed=seed,
        network={"kind": "scale_free", "suppliers": 3},
        mechanisms=["recovery", "learning", "workforce", "finance", "sourcing"],
        economy={**TABLE, "inventory_days": 30, "rationing": 0},
    )
    assert hit(plain, "flood")
    assert hit(plain, "flood") == hit(elsewhere, "flood")
    assert hit(plain, "flood") != hit(town(shock, seed=seed + 1), "flood")
    longer = town(shock, seed=seed, days=120)
    assert {entry for entry in hit(longer, "flood") if entry[1] < 60} == hit(plain, "flood")


def test_streams_of_a_shock_have_names_of_their_own() -> None:
    """What is drawn for one question must not decide another one."""
    streams = Streams(1)
    names = ["shock: flood", *(f"shock: flood: {what}" for what in ("when", "severity", "contagion", "together"))]
    first = {streams[name].uniform(0, 0).item() for name in names}
    assert len(first) == len(names)
