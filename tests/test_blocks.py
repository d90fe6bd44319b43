"""Replicates as blocks of one economy: a block does among others what it does alone, and leaks into none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ecosim.config import Scenario
from ecosim.errors import InputError
from ecosim.mechanisms.mechanism import SEQUENCE
from ecosim.model import Ecosystem
from ecosim.resilience.blocks import LEAK_FREE, BlockEconomy, Blocks, bare, blocks, merge, refuse_leaks, strikes

N, R, DAYS = 30, 4, 60
SHOCKS: list[dict[str, Any]] = [
    {"kind": "outage", "when": 3, "who": {"count": 6}},
    {"kind": "outage", "name": "hubs", "when": 3, "who": {"top": 3, "by": "clients"}},
    {"kind": "outage", "name": "town", "when": 3, "who": {"region": "Riverside", "count": 4}, "recovery": {"law": 4}},
    {"kind": "demand_collapse", "when": 2, "who": {"count": 9}, "severity": 0.7},
    {"kind": "inventory_destruction", "when": 2, "who": {"count": 9}},
    {"kind": "lead_time", "when": 2, "who": {"count": 9}},
    {"kind": "link_loss", "when": 2, "who": {"count": 5}, "days": 5},
    {"kind": "labour_shortage", "when": 2, "severity": 0.4},
]


def scenario(shocks: Any = (), mechanisms: Any = (), structure: str = "scale_free", days: int = DAYS) -> Scenario:
    economy = {"kind": "uniform", "firms": N, "inputs": 3, "regions": 2, "headroom": 0.1, "inventory_days": 4.0}
    return (
        Scenario()
        .with_({"economy": economy, "network": {"kind": structure}, "days": days, "seed": 7})
        .with_({"mechanisms": list(mechanisms), "shocks": list(shocks)})
    )


def together(of: Scenario) -> Blocks:
    return blocks(of.economy, of.network, seed=of.seed, replicates=R)


def mechanism(kind: str) -> dict[str, Any]:
    return {"kind": kind, **LEAK_FREE[kind]}


@pytest.mark.parametrize("shock", SHOCKS, ids=lambda shock: shock.get("name", shock["kind"]))
def test_a_block_of_the_core_is_to_the_bit_the_replicate_by_itself(shock: dict[str, Any]) -> None:
    """The engine on one replicate, which finds its own victims, against the block that was given them."""
    given = scenario([shock])
    of = together(given)
    whole = BlockEconomy(given, of, strikes(given.shocks, of, given)).live()
    struck = False
    for replicate in range(R):
        eco = Ecosystem(given, replicate=replicate)
        eco.run_for(DAYS)
        firms = eco.world.firms
        for name in ("produced", "failed_on", "lowest", "consumption"):
            assert np.array_equal(of.by_block(whole.world.firms.columns[name])[replicate], firms.columns[name]), name
        mine = whole.world.links.buyer // N == replicate
        assert np.array_equal(whole.world.links.stock[mine], eco.world.links.stock)
        assert np.allclose(whole.made[:, replicate], eco.series["total_production"].loc[0:], rtol=1e-12)
        assert np.allclose(whole.sold[:, replicate], eco.series["final_consumption"].loc[0:], rtol=1e-12)
        struck |= bool((firms.produced < DAYS * firms.output).any())
    assert struck


@pytest.mark.parametrize("kind", LEAK_FREE)
def test_no_mechanism_of_a_habit_carries_a_shock_into_another_block(kind: str) -> None:
    _leaks_nowhere([mechanism(kind)])


def test_all_of_them_together_carry_it_nowhere_either() -> None:
    _leaks_nowhere([mechanism(kind) for kind in LEAK_FREE])


def _leaks_nowhere(mechanisms: list[dict[str, Any]], struck: int = 1) -> None:
    given = scenario(SHOCKS[:1] + SHOCKS[5:7], mechanisms)
    of = together(given)
    entries = strikes(given.shocks, of, given)
    for each in entries:
        each["first"] = np.where(each["rows"] // N == struck, each["first"], 0.0)
    run, twin = BlockEconomy(given, of, entries).live(), BlockEconomy(given.with_({"shocks": []}), of).live()
    others = [at for at in range(R) if at != struck]
    assert np.array_equal(run.made[:, others], twin.made[:, others])
    assert not np.array_equal(run.made[:, struck], twin.made[:, struck])
    for name in ("produced", "consumption", "ceiling", "demand", "expected", "capacity"):
        lived, calm = (of.by_block(each.world.firms.columns[name])[others] for each in (run, twin))
        assert np.array_equal(lived, calm), name
    beside = ~np.isin(run.world.links.buyer // N, [struck])
    for name in ("stock", "ordered", "supplier"):
        assert np.array_equal(getattr(run.world.links, name)[beside], getattr(twin.world.links, name)[beside]), name


def test_the_check_finds_a_leak_where_there_is_one() -> None:
    """People commute, so wages lost in one block are spent less in others: the test above must not be blind."""
    with pytest.raises(AssertionError):
        _leaks_nowhere([{"kind": "finance"}, {"kind": "income"}])


def test_suppliers_are_found_in_the_own_block_alone() -> None:
    given = scenario(SHOCKS[:1], [{**mechanism("sourcing"), "suppliers_per_input": 2.0}])
    of = together(given)
    eco = BlockEconomy(given, of, strikes(given.shocks, of, given)).live()
    links = eco.world.links
    assert (links.supplier // N == links.buyer // N).all()
    assert (links.flow == 0.0).any()
    assert any(event["event"] == "takes another supplier" for event in eco.world.events)


@pytest.mark.parametrize("shock", [SHOCKS[0], *SHOCKS[2:]], ids=lambda shock: shock.get("name", shock["kind"]))
def test_the_same_firms_are_struck_as_hard_in_every_structure(shock: dict[str, Any]) -> None:
    found = []
    for structure in ("random", "star", "hierarchy", "local"):
        given = scenario([shock], structure=structure)
        found.append(strikes(given.shocks, together(given), given)[0])
    for other in found[1:]:
        for name in ("rows", "day", "first"):
            assert np.array_equal(found[0][name], other[name])
    rows = found[0]["rows"]
    assert len(set(np.bincount(rows // N, minlength=R))) == 1
    if len(rows) < N * R:
        assert len({tuple(rows[rows // N == at] % N) for at in range(R)}) > 1  # blocks have luck of their own


def test_hubs_are_those_of_the_structure() -> None:
    given = scenario(SHOCKS[1:2], structure="star")
    of = together(given)
    rows = strikes(given.shocks, of, given)[0]["rows"]
    assert set(rows % N) <= set(range(5))


@pytest.mark.parametrize("level", [0.0, 0.25, 1.0])
def test_a_level_scales_every_severity_and_none_is_the_twin(level: float) -> None:
    given = scenario([{"kind": "labour_shortage", "when": 2, "severity": 0.4, "days": 10, "ease": 0}])
    of = together(given)
    eco = BlockEconomy(given, of, strikes(given.shocks, of, given), level).live()
    assert np.allclose(eco.taken, level * 0.4 * 10 * N)
    if level == 0.0:
        assert np.array_equal(eco.made, BlockEconomy(given.with_({"shocks": []}), of).live().made)


def test_blocks_lie_side_by_side() -> None:
    given = scenario()
    of = together(given)
    whole = of.whole
    assert (whole.supplier // N == whole.buyer // N).all()
    assert whole.firms.region.tolist() == np.repeat(np.arange(R), N).tolist()
    assert len(whole.customer_names) == R * len(of.parts[0].customer_names) == whole.customer.max() + 1
    for at, part in enumerate(of.parts):
        rows = slice(whole.ptr[at * N], whole.ptr[(at + 1) * N])
        assert np.array_equal(whole.supplier[rows] - at * N, part.supplier)
        assert np.array_equal(whole.flow[rows], part.flow)
    assert len({tuple(part.supplier) for part in of.parts}) == R


def test_blocks_of_unequal_size_are_refused() -> None:
    one, other = scenario(), scenario().with_({"economy.firms": N + 1})
    parts = together(one).parts[:1] + together(other).parts[:1]
    with pytest.raises(InputError, match="economy 1 has 31 firms, the first 30"):
        merge(parts)
    with pytest.raises(InputError, match="there are no economies"):
        merge([])


def test_mechanisms_that_reach_beyond_a_region_are_refused() -> None:
    for kind in set(SEQUENCE) - set(LEAK_FREE) - {"pricing", "judgement"}:
        given = scenario(mechanisms=[{"kind": "finance"}, {"kind": kind}] if kind != "finance" else [{"kind": kind}])
        with pytest.raises(InputError, match=r"habits.x.mechanisms.0.kind: finance reaches beyond"):
            refuse_leaks(given, "habits.x")
    with pytest.raises(InputError, match=r"habits.x.mechanisms.0.local_share: 0.5 lets replicates meet; set 1"):
        refuse_leaks(scenario(mechanisms=[{"kind": "sourcing"}]), "habits.x")


def test_a_bare_shock_keeps_what_it_does() -> None:
    given = scenario(SHOCKS[2:3]).shocks[0]
    stripped = bare(given)  # type: ignore[arg-type]
    assert (stripped.label, stripped.recovery) == ("town", given.recovery)  # type: ignore[attr-defined]
    assert stripped.who.by_chance is False
