"""The core day: the authors' own numbers, the specification word for word, and goods that neither vanish nor appear."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim.calibration.imports import Source, blueprint_from_frames
from ecosim.config import Scenario
from ecosim.economies.given import Given
from ecosim.errors import InputError
from ecosim.kernels import reference
from ecosim.kernels.day import day_kernels
from ecosim.model import Ecosystem
from ecosim.networks.imported import Imported
from ecosim.published.shock_propagation import inoue_todo
from ecosim.shocks.outage import Outage
from ecosim.shocks.recovery import Recovery

HERE = Path(__file__).parent
GOLDEN = sorted((HERE / "golden").glob("inoue_*.json"))
EXACT = 1e-9
"""Relative difference allowed where two computations of the same numbers are compared."""


# --- the authors' program ---------------------------------------------------------------------------------------------


def golden_case(path: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Arguments of `inoue_todo` for a golden file, its inputs and its outputs."""
    case = json.loads(path.read_text())
    said = case["inputs"]
    options = dict(zip(said["options"][::2], said["options"][1::2], strict=True))
    firms = pd.DataFrame(
        {
            "sector": {name: str(sector) for name, sector in said["sector"].items()},
            "final_demand": said["final_consumption"],
            "damage": {name: said["delta0"].get(name, 0.0) for name in said["sector"]},
        }
    )
    links = pd.DataFrame(said["edges"], columns=["supplier", "client", "flow"]).astype({"supplier": str, "client": str})
    arguments = {
        "firms": firms,
        "links": links,
        "days": said["steps"],
        "rationing": int(options.pop("-R")),
        "inventory_days": float(options.pop("-i", 15)),
        "recovery": int(options.pop("-b")) if "-b" in options else None,
        "recovery_days": float(options.pop("-c", 0)),
    }
    assert not options, f"options of the program that this test does not know: {options}"
    return arguments, said, case["outputs"]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_authors_program(path: Path) -> None:
    arguments, said, printed = golden_case(path)
    series = inoue_todo(**arguments)
    assert series.index.tolist() == list(range(-1, said["steps"]))
    for ours, theirs in (
        ("total_production", "total_production"),
        ("value_added", "value_added"),
        ("final_consumption", "final_consumption_supplied"),
    ):
        days, values = zip(*printed[theirs], strict=True)
        assert list(days) == series.index.tolist()
        np.testing.assert_allclose(series[ours], values, rtol=EXACT, err_msg=ours)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_authors_program_firm_by_firm(path: Path) -> None:
    """Output, production, demand, the limit of the stocks and the damage of every firm, as printed in 6 digits."""
    arguments, said, printed = golden_case(path)
    firms = arguments["firms"]
    frame = firms[["sector", "final_demand"]].rename_axis("firm").reset_index()
    sources = {"firms_source": Source("firms"), "links_source": Source("links")}
    plan = blueprint_from_frames(frame, arguments["links"], **sources, strict=False)
    recovery = arguments["recovery"]
    law = None if recovery is None else Recovery(law=recovery, days=arguments["recovery_days"] or 1)
    scenario = Scenario(
        days=said["steps"] + 1,
        economy=Given(inventory_days=arguments["inventory_days"], rationing=arguments["rationing"]),
        network=Imported(),
        shocks=(Outage(severity=said["delta0"], recovery=law),),
    )
    eco = Ecosystem(scenario, blueprint=plan)
    buys = np.diff(plan.ptr) > 0
    theirs = np.array([printed["per_firm"][name] for name in firms.index])  # (firms, days, 5)
    assert theirs.shape[1] == said["steps"]
    for day in range(said["steps"]):
        eco.step()
        table = eco.world.firms
        ours = np.column_stack([table.output, table.production, table.demand, table.ceiling])
        found, told = ours.copy(), theirs[:, day, :4].copy()
        found[~buys, 3] = told[~buys, 3] = 0.0  # the program prints stocks that firms without suppliers do not have
        np.testing.assert_allclose(found, told, rtol=5e-6, atol=1e-9, err_msg=f"day {day}")
        if day > 0:  # the program prints the damage after the evening, which is the next morning's
            damage = 1.0 - table.capacity / table.output
            np.testing.assert_allclose(damage, theirs[:, day - 1, 4], rtol=5e-6, atol=1e-9, err_msg=f"day {day}")


def test_golden_files_are_here() -> None:
    assert len(GOLDEN) == 5


def chain_frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    firms = pd.DataFrame({"sector": ["a", "b"], "final_demand": [1.0, 2.0], "damage": [0.5, 0.0]}, index=["x", "y"])
    return firms, pd.DataFrame({"supplier": ["x"], "client": ["y"], "flow": [1.0]})


@pytest.mark.parametrize(
    ("firms", "arguments", "text"),
    [
        ({"damage": [0.5, 1.5]}, {}, r"firms, row 2: damage of 'y' is 1\.5; give a share from 0 to 1"),
        ({"damage": [np.nan, 0.0]}, {}, r"firms, row 1: damage of 'x' is nan; give a share from 0 to 1"),
        ({"final_demand": [-1.0, 0.0]}, {}, r"firms, row 1: final_demand is -1; give a number of at least 0"),
        ({}, {"recovery": 0}, r"recovery_days = 0: recovery law 0 needs days above 0"),
    ],
)
def test_bad_tables_are_refused_with_their_place(firms: dict[str, Any], arguments: dict[str, Any], text: str) -> None:
    frame, links = chain_frames()
    with pytest.raises(InputError, match=text):
        inoue_todo(frame.assign(**firms), links, days=1, **arguments)


def test_a_missing_column_is_named() -> None:
    frame, links = chain_frames()
    with pytest.raises(InputError, match="firms: no column 'damage'; the columns are sector, final_demand"):
        inoue_todo(frame.drop(columns="damage"), links, days=1)
    with pytest.raises(InputError, match="links: no column 'flow'; the columns are supplier, client"):
        inoue_todo(frame, links.drop(columns="flow"), days=1)


# --- the kernels equal the specification ------------------------------------------------------------------------------


@dataclass
class State:
    """The arrays of a small world, as the kernels take them."""

    ptr: np.ndarray
    product: np.ndarray
    importance: np.ndarray
    flow: np.ndarray
    out_ptr: np.ndarray
    out_link: np.ndarray
    stock: np.ndarray
    delivered: np.ndarray
    ordered: np.ndarray
    output: np.ndarray
    final: np.ndarray
    wanted: np.ndarray
    capacity: np.ndarray
    ceiling: np.ndarray
    expected: np.ndarray
    demand: np.ndarray
    production: np.ndarray
    consumption: np.ndarray
    lost: np.ndarray
    inventory_days: np.ndarray
    smoothing_days: np.ndarray

    def copy(self) -> State:
        return replace(self, **{name: getattr(self, name).copy() for name in self.__dataclass_fields__})

    def morning(self, kernel: Any) -> None:
        kernel(
            self.ptr, self.product, self.importance, self.flow, self.stock, self.delivered, self.ordered,
            self.production, self.output, self.expected, self.inventory_days, self.smoothing_days, self.ceiling,
        )  # fmt: skip

    def rest_of_day(self, kernel: Any, rationing: int) -> None:
        kernel(
            self.out_ptr, self.out_link, self.flow[self.out_link], self.ordered, self.delivered, self.capacity,
            self.ceiling, self.final, self.wanted, rationing, self.demand, self.production, self.consumption, self.lost,
        )  # fmt: skip

    def close_to(self, other: State) -> None:
        """Equal to 1e-9, relative to the number or to the baseline of its firm or link."""
        for name in ("stock", "ordered", "delivered"):
            self._close(name, other, self.flow)
        for name in ("ceiling", "demand", "production", "consumption", "lost"):
            self._close(name, other, np.where(self.output > 0, self.output, 1.0))

    def _close(self, name: str, other: State, scale: np.ndarray) -> None:
        mine, theirs = getattr(self, name), getattr(other, name)
        np.testing.assert_allclose(mine / scale, theirs / scale, rtol=EXACT, atol=EXACT, err_msg=name)


def some_world(rng: np.random.Generator, n: int, suppliers: int, products: int, levels: tuple[int, ...]) -> State:
    """A random network at rest: some firms sell to nobody at all, some only to customers, some only to firms."""
    buyer, supplier = [], []
    idle = rng.random(n) < 0.1  # sells nothing and buys all the same: output 0
    for i in range(n):
        others = np.flatnonzero((np.arange(n) != i) & ~idle)
        chosen = rng.permutation(others)[: rng.integers(0, suppliers + 1)]
        supplier += chosen.tolist()
        buyer += [i] * len(chosen)
    kind = rng.integers(0, products, n)
    of = kind[np.array(supplier, dtype=np.int64)] if supplier else np.empty(0, np.int64)
    order = np.lexsort((np.array(supplier), of, np.array(buyer)))
    buyers, suppliers_ = np.array(buyer, np.int32)[order], np.array(supplier, np.int32)[order]
    flow = rng.lognormal(1.0, 1.5, len(order))
    final = np.where(idle | (rng.random(n) < 0.2), 0.0, rng.lognormal(1.0, 1.0, n))
    output = final + np.bincount(suppliers_, flow, minlength=n)
    level = np.array(levels)[rng.integers(0, len(levels), len(order))]
    days, pace = rng.uniform(1.0, 20.0, n), rng.uniform(1.0, 10.0, n)
    return State(
        ptr=np.concatenate(([0], np.cumsum(np.bincount(buyers, minlength=n)))).astype(np.int64),
        product=of[order].astype(np.int32),
        importance=level.astype(np.int8),
        flow=flow,
        out_ptr=np.concatenate(([0], np.cumsum(np.bincount(suppliers_, minlength=n)))).astype(np.int64),
        out_link=np.argsort(suppliers_, kind="stable").astype(np.int32),
        stock=np.repeat(days, np.bincount(buyers, minlength=n)) * flow,
        delivered=flow.copy(),
        ordered=flow.copy(),
        output=output,
        final=final,
        wanted=final.copy(),
        capacity=output.copy(),
        ceiling=np.full(n, np.inf),
        expected=output.copy(),
        demand=output.copy(),
        production=output.copy(),
        consumption=final.copy(),
        lost=np.zeros(n),
        inventory_days=days,
        smoothing_days=pace,
    )


def disturb(state: State, rng: np.random.Generator) -> None:
    """Leave no number where it was, and set many to nothing: stocks, orders on the way, production."""
    links, firms = len(state.flow), len(state.output)
    state.stock *= rng.lognormal(0.0, 1.0, links) * (rng.random(links) > 0.2)
    state.delivered *= rng.lognormal(0.0, 0.5, links) * (rng.random(links) > 0.2)
    state.production *= rng.random(firms) * (rng.random(firms) > 0.1)


def troubles(state: State, rng: np.random.Generator) -> None:
    """A day's capacities and wants: whole, partly or wholly lost, and sometimes more than at baseline."""
    firms = len(state.output)
    for column, base in (("capacity", state.output), ("wanted", state.final)):
        share = rng.choice([1.0, 1.0, 1.0, 0.0, rng.random(), 1.0 + rng.random()], firms)
        setattr(state, column, base * share)


def same_day(kernels: Any, state: State, rationing: int) -> State:
    """Live one day by kernel and by words from one state, compare, and return the kernel's evening."""
    words = state.copy()
    state.morning(kernels[0])
    words.morning(reference.buyers)
    for name in ("stock", "ordered"):
        state._close(name, words, state.flow)
    words.ordered[:] = state.ordered  # an order of 0 and one of 1e-17 are rationed differently
    words.ceiling[:] = state.ceiling
    state.rest_of_day(kernels[1], rationing)
    words.rest_of_day(reference.sellers, rationing)
    state.close_to(words)
    return state


LEVELS = [(2,), (1,), (0,), (0, 1, 2)]


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 9),
    suppliers=st.integers(1, 5),
    products=st.integers(1, 4),
    rationing=st.sampled_from([0, 1, 2, 3]),
    levels=st.sampled_from(LEVELS),
    upset=st.booleans(),
    own_plan=st.booleans(),
)
def test_kernels_equal_the_words(
    seed: int, n: int, suppliers: int, products: int, rationing: int, levels: tuple[int, ...], upset: bool,
    own_plan: bool,
) -> None:  # fmt: skip
    """Day by day from the same morning: rounding of earlier days is not amplified into a difference of rules."""
    rng = np.random.default_rng(seed)
    state = some_world(rng, n, suppliers, products, levels)
    if upset:
        disturb(state, rng)
    kernels = day_kernels()
    for _ in range(5):
        troubles(state, rng)
        state.expected = state.production * (rng.lognormal(0.0, 0.5, n) if own_plan else 1.0)
        state = same_day(kernels, state, rationing)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), rationing=st.sampled_from([0, 1, 2, 3]), levels=st.sampled_from(LEVELS))
def test_weeks_equal_the_words(seed: int, rationing: int, levels: tuple[int, ...]) -> None:
    """From rest, after one damage, each by itself for 20 days."""
    rng = np.random.default_rng(seed)
    state = some_world(rng, 8, 3, 3, levels)
    state.inventory_days[:], state.smoothing_days[:] = 15.0, 6.0
    state.stock = 15.0 * state.flow
    state.capacity = state.output * np.where(rng.random(8) < 0.3, rng.random(8), 1.0)
    words, kernels = state.copy(), day_kernels()
    for _ in range(20):
        for one, rules in ((state, kernels), (words, (reference.buyers, reference.sellers))):
            one.expected = one.production.copy()
            one.morning(rules[0])
            one.rest_of_day(rules[1], rationing)
    state.close_to(words)


# --- rationing of one supplier, in numbers that binary fractions hold exactly -----------------------------------------


def ration(rules: Any, rationing: int, made: float, orders: list[float], flows: list[float], final: float,
           wanted: float) -> tuple[list[float], float, float]:  # fmt: skip
    """What clients and customers of one supplier get, and what is lost."""
    n = len(orders)
    delivered, sums = np.array(orders), [np.zeros(1) for _ in range(4)]
    rules(
        np.array([0, n], np.int64), np.arange(n, dtype=np.int32), np.array(flows), np.array(orders), delivered,
        np.array([made]), np.array([np.inf]), np.array([final]), np.array([wanted]), rationing, *sums,
    )  # fmt: skip
    return delivered.tolist(), float(sums[2][0]), float(sums[3][0])


RULES = {"kernel": lambda: day_kernels()[1], "words": lambda: reference.sellers}


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize(
    ("rationing", "made", "orders", "flows", "final", "wanted", "gets", "customers", "lost"),
    [
        # everyone the same share
        (0, 4.0, [2.0, 4.0], [2.0, 2.0], 2.0, 2.0, [1.0, 2.0], 1.0, 0.0),
        (0, 0.0, [0.0], [1.0], 0.0, 0.0, [0.0], 0.0, 0.0),
        # customers go short first
        (1, 7.0, [2.0, 4.0], [2.0, 2.0], 2.0, 2.0, [2.0, 4.0], 1.0, 0.0),
        (1, 3.0, [2.0, 4.0], [2.0, 2.0], 2.0, 2.0, [1.0, 2.0], 0.0, 0.0),
        # the lowest ratio, 1/2, is filled with 3/2, and the other two share the last 3/4
        (2, 2.25, [0.5, 2.0], [1.0, 1.0], 1.0, 1.0, [0.5, 0.875], 0.875, 0.0),
        # customers satisfied at 1, yet counted in the next need: 6 - 4 = 2 remain, step 1/2 needs 1.5, 0.5 is lost
        (2, 6.0, [1.5, 3.0, 1.0], [1.0, 1.0, 1.0], 1.0, 1.0, [1.5, 2.0, 1.0], 1.0, 0.5),
        # nothing ordered, a gift of the first step's share: (4 > 1/2 x 4), then 2 remain for 2 vessels
        (2, 4.0, [0.0, 0.5, 4.0], [1.0, 1.0, 1.0], 1.0, 1.0, [0.5, 0.5, 2.0], 1.0, 0.0),
        # exactly what the first step needs is not more: no gift, and the others share it
        (2, 4.0, [0.0, 2.0, 3.0], [1.0, 1.0, 1.0], 1.0, 1.0, [0.0, 4 / 3, 4 / 3], 4 / 3, 0.0),
        # the same tie at the level of a client: the step to 1 needs all that remains, so those who wait share it, and
        # customers, satisfied at 1/2, do not; one client gets more than it ordered
        (2, 4.0, [1.0, 3.0], [1.0, 1.0], 2.0, 1.0, [1.5, 1.5], 1.0, 0.0),
        # customers last, then the lowest ratio first
        (3, 4.0, [0.5, 3.0], [1.0, 1.0], 1.0, 1.0, [0.5, 3.0], 0.5, 0.0),
        (3, 2.0, [0.5, 3.0], [1.0, 1.0], 1.0, 1.0, [0.5, 1.5], 0.0, 0.0),
    ],
)  # fmt: skip
def test_rationing_by_hand(rules, rationing, made, orders, flows, final, wanted, gets, customers, lost) -> None:
    found = ration(RULES[rules](), rationing, made, orders, flows, final, wanted)
    assert found[0] == pytest.approx(gets, rel=1e-12)
    assert found[1:] == (pytest.approx(customers, rel=1e-12), pytest.approx(lost, abs=1e-12))


EIGHTHS = st.integers(0, 16).map(lambda k: k / 8)
POWERS = st.sampled_from([0.5, 1.0, 2.0, 4.0])


@settings(max_examples=400)
@given(
    clients=st.lists(st.tuples(EIGHTHS, POWERS), max_size=5),
    final=st.sampled_from([0.0, 1.0, 2.0]),
    pace=EIGHTHS,
    made=st.integers(0, 200).map(lambda k: k / 8),
    rationing=st.sampled_from([0, 1, 2, 3]),
)
def test_ties_go_where_the_words_say(
    clients: list[tuple[float, float]], final: float, pace: float, made: float, rationing: int
) -> None:
    """Rule 2 jumps where what remains equals the need: here sums are exact, so both must see the same ties."""
    orders, flows = [ratio * flow for ratio, flow in clients], [flow for _, flow in clients]
    case = rationing, made, orders, flows, final, pace * final
    found, told = ration(day_kernels()[1], *case), ration(reference.sellers, *case)
    assert found[0] == pytest.approx(told[0], rel=EXACT, abs=EXACT)
    assert found[1:] == pytest.approx(told[1:], rel=EXACT, abs=EXACT)


@pytest.mark.parametrize("rationing", [2, 3])
@pytest.mark.parametrize("rules", RULES)
def test_rounding_does_not_decide_a_tie(rules: str, rationing: int) -> None:
    """A firm at full capacity whose clients order more than usual, or nothing, makes what the first step needs.

    More than that does not remain, so who ordered nothing gets nothing, whatever the last bits of the sums.
    """
    for seed in range(200):
        rng = np.random.default_rng(seed)
        flows = rng.lognormal(0.0, 2.0, 4).tolist()
        final = float(rng.lognormal()) if rationing == 2 else 0.0
        usual = 1.0 if rationing == 3 else 1.5  # rule 3 has no customers at 1, so that a client must stand there
        orders = [0.0, usual * flows[1], 1.7 * flows[2], 2.5 * flows[3]]
        made = final + flows[0] + flows[1] + flows[2] + flows[3]
        gets, _, lost = ration(RULES[rules](), rationing, made, orders, flows, final, final)
        assert gets[0] == 0.0, f"seed {seed}"
        assert lost == pytest.approx(0.0, abs=1e-9 * made)


# --- one result, however it is computed -------------------------------------------------------------------------------


def test_uncompiled_kernels_are_the_same() -> None:
    """The kernels as plain Python, in a process without the compiler: what is tested is what is read."""
    program = (
        "import sys, numpy as np; sys.path.insert(0, sys.argv[1])\n"
        "import numba; assert numba.config.DISABLE_JIT\n"
        "import test_day as t\n"
        "for column in t.three_days(): print(*(float(x).hex() for x in column))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(HERE)],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pure = [[float.fromhex(x) for x in line.split()] for line in done.stdout.splitlines()]
    compiled = three_days()
    assert len(pure) == len(compiled) == 4 * 3 * 5
    for mine, theirs in zip(compiled, pure, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)


def three_days() -> list[np.ndarray]:
    """Stocks, deliveries, production, consumption and losses of a small world on three days under each rule."""
    seen = []
    for rationing in range(4):
        rng = np.random.default_rng(rationing)
        state = some_world(rng, 12, 4, 3, (0, 1, 2))
        disturb(state, rng)
        for _ in range(3):
            troubles(state, rng)
            state = same_day(day_kernels(), state, rationing)
            seen += [
                getattr(state, name).copy() for name in ("stock", "delivered", "production", "consumption", "lost")
            ]
    return seen


@pytest.mark.parametrize("rationing", [0, 1, 2, 3])
def test_threads_change_no_bit_of_the_kernels(rationing: int) -> None:
    rng = np.random.default_rng(7)
    serial = some_world(rng, 3000, 5, 8, (0, 1, 2))
    disturb(serial, rng)
    threaded = serial.copy()
    for _ in range(4):
        troubles(serial, rng)
        threaded.capacity, threaded.wanted = serial.capacity.copy(), serial.wanted.copy()
        for state, parallel in ((serial, False), (threaded, True)):
            kernels = day_kernels(parallel)
            state.expected = state.production.copy()
            state.morning(kernels[0])
            state.rest_of_day(kernels[1], rationing)
            firms = np.arange(0, 3000, 2)
            kernels[2](
                firms, state.ptr, state.flow, state.stock, state.output, state.expected, state.inventory_days,
                state.smoothing_days, state.ordered.copy(), state.delivered.copy(),
            )  # fmt: skip
        for name in State.__dataclass_fields__:
            np.testing.assert_array_equal(getattr(serial, name), getattr(threaded, name), err_msg=name)


def columns_of(eco: Ecosystem) -> dict[str, np.ndarray]:
    """Every array of numbers that a running economy holds."""
    links = {name: getattr(eco.world.links, name) for name in ("stock", "ordered", "delivered", "flow", "supplier")}
    return {
        **{f"firms.{name}": column for name, column in eco.world.firms.columns.items()},
        **{f"customers.{name}": column for name, column in eco.world.customers.columns.items()},
        **{f"links.{name}": column for name, column in links.items()},
    }


SHOCKED = {
    "days": 60,
    "economy": {"kind": "table", "firms": 300},
    "shocks": [
        {"kind": "outage", "who": {"share": 0.2}, "severity": 0.7, "when": 2},
        {"kind": "outage", "name": "more", "who": {"top": 5}, "when": 20, "recovery": {"law": 5, "days": 9}},
    ],
}


def test_threads_change_no_bit_of_an_economy() -> None:
    one, two = (Ecosystem(Scenario(**SHOCKED), threads=threads) for threads in (1, 2))
    for eco in (one, two):
        eco.run_for(60)
    assert one.series["total_production"].min() < 0.99 * one.series["total_production"].iloc[0]
    pd.testing.assert_frame_equal(one.series, two.series, check_exact=True)
    others = columns_of(two)
    for name, column in columns_of(one).items():
        np.testing.assert_array_equal(column, others[name], err_msg=name)


# --- goods neither vanish nor appear ----------------------------------------------------------------------------------


def product_sums(links: Any, amounts: np.ndarray) -> np.ndarray:
    """Sum over the suppliers of one product to one firm, at each of their links."""
    of = np.unique(links.buyer.astype(np.int64) * (int(links.product.max()) + 1) + links.product, return_inverse=True)[
        1
    ]
    return np.bincount(of, amounts)[of]


@pytest.mark.parametrize("importance", [{}, {"Manufacturing": "important", "Information": "other"}])
@pytest.mark.parametrize("rationing", [0, 1, 2, 3])
def test_goods_are_conserved_every_day(rationing: int, importance: dict[str, str]) -> None:
    """What is made is delivered, consumed or named as lost; what is in stock came in and was not used."""
    eco = Ecosystem(Scenario(**SHOCKED).with_({"economy.rationing": rationing, "economy.importance": importance}))
    links, firms = eco.world.links, eco.world.firms
    rows = np.arange(len(links))
    assert np.array_equal(np.sort(links.out_link), rows)  # shipped on a link = received on it: one number, seen twice
    for _ in range(60):
        stock, arrived, made = links.stock.copy(), links.delivered.copy(), firms.production.copy()
        eco.step()
        shipped = np.bincount(links.supplier, links.delivered, minlength=firms.rows)
        np.testing.assert_allclose(
            firms.production, shipped + firms.consumption + firms.lost, rtol=EXACT, atol=1e-12, err_msg="made"
        )
        assert (firms.lost >= -1e-12 * firms.output).all()
        assert rationing == 2 or not firms.lost.any()
        for column in (links.stock, links.delivered, links.ordered, firms.consumption, firms.production):
            assert (column >= 0).all()
        assert (firms.production <= np.minimum(firms.capacity, firms.ceiling) * (1 + 1e-12)).all()
        assert (firms.production <= firms.demand).all()
        used = stock + arrived - links.stock  # of yesterday's stock, for yesterday's production
        have = product_sums(links, stock)
        recipe = stock * np.divide(product_sums(links, links.flow), have, out=np.zeros_like(have), where=have > 0)
        recipe *= (made / firms.output)[links.buyer]
        scale = links.flow + stock
        assert (used >= -1e-12 * scale).all()
        bound = links.importance == 2
        # An essential input is never used up by more than there was, so nothing is clipped at zero.
        np.testing.assert_allclose(used[bound] / scale[bound], recipe[bound] / scale[bound], rtol=EXACT, atol=1e-11)
        assert (used[bound] <= stock[bound] + 1e-12 * scale[bound]).all()
        # Others may run out while production goes on: then the firm does without what the clipping leaves out.
        assert (used[~bound] <= recipe[~bound] + 1e-11 * scale[~bound]).all()
        short = ~bound & (used < recipe - 1e-9 * scale)
        assert (links.stock[short] == 0.0).all()
    assert bound.all() == (not importance)
