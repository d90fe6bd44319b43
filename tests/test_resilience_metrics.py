"""Metrics of resilience: closed forms, plain references, properties and bad input."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from ecosim.errors import InputError
from ecosim.resilience import (
    at_risk,
    curvature,
    days_to_recover,
    depth,
    ecological_resilience,
    flow_order,
    gini,
    herfindahl,
    inoculation_gain,
    jensen_gap,
    loss_area,
    mean_interval,
    network_covariates,
    recovery_of,
    relative_response,
    ruin,
    schneider_r,
    share_interval,
    theil,
    time_to_recover,
    time_to_survive,
)
from ecosim.resilience.covariates import _swap
from ecosim.resilience.estimate import above, below

X = np.linspace(0, 800, 9)
U = X / 800


# Intervals ------------------------------------------------------------------------------------------------------------


def test_intervals_are_those_of_scipy():
    values = np.random.default_rng(0).gamma(2, size=30)
    found = mean_interval(values, 0.9)
    t = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert (found.low, found.value, found.high) == pytest.approx((t.low, values.mean(), t.high))
    for count, n in ((0, 60), (7, 60), (60, 60)):
        exact = stats.binomtest(count, n).proportion_ci(0.95, method="exact")
        share = share_interval(count, n)
        assert (share.low, share.high) == pytest.approx((exact.low, exact.high))
    assert str(share_interval(0, 60)) == "0 [0, 0.05963] (95 %, n = 60)"


def test_equal_replicates_are_known():
    mean, sd = np.array([-0.1, 0.02, 0.3]), np.zeros(3)
    assert below(mean, sd, 10, 0.02).tolist() == [0, 1, 1]
    assert above(mean, sd, 10, 0.02).tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: mean_interval([1.0]), "1 replicates"),
        (lambda: mean_interval([1.0, np.nan]), "nan at replicate 1"),
        (lambda: mean_interval([1.0, 2.0], 1.0), "level is 1"),
        (lambda: share_interval(3, 2), "3 of 2 is no share"),
        (lambda: share_interval(0, 0), "0 of 0 is no share"),
    ],
)
def test_bad_samples_are_refused(call, text):
    with pytest.raises(InputError, match=text):
        call()


# Responses and curves -------------------------------------------------------------------------------------------------


def test_response_depth_and_loss_of_a_known_dip():
    twin = np.full((3, 100), 50.0)
    output = twin.copy()
    output[:, 10:20] = 25.0
    assert relative_response(output, twin) == pytest.approx([-0.05] * 3)
    assert relative_response(output, twin, last=0.1).tolist() == [0, 0, 0]
    assert relative_response(output[:, :20], twin[:, :20], last=0.5) == pytest.approx([-0.5] * 3)
    assert loss_area(output, twin).value == pytest.approx(0.05)
    assert depth(output, twin).value == 0.5
    assert depth(2 * twin, twin).value == 0


def test_loss_is_against_the_twin_not_the_level_before():
    trend = np.linspace(100, 200, 50) * np.ones((2, 1))
    assert loss_area(0.9 * trend, trend).value == pytest.approx(0.1)


@pytest.mark.parametrize("call", [relative_response, loss_area, depth, time_to_recover])
def test_a_zero_baseline_is_refused(call):
    with pytest.raises(InputError, match="no baseline"):
        call(np.ones((2, 10)), np.zeros((2, 10)))


@pytest.mark.parametrize(
    ("output", "twin", "text"),
    [
        (np.ones((2, 9)), np.ones((2, 8)), "same days"),
        (np.ones((3, 9)), np.ones((2, 9)), "do not fit together"),
        (np.full((2, 9), np.nan), np.ones((2, 9)), "NaN"),
    ],
)
def test_series_that_do_not_fit_are_refused(output, twin, text):
    with pytest.raises(InputError, match=text):
        relative_response(output, twin)


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1))
def test_curvature_of_polynomials(a, b, c):
    d = a + b * U + c * U**2
    j = np.arange(1, 8)
    assert curvature(d) == pytest.approx(c * (np.minimum(j, 8 - j) / 8) ** 2, abs=1e-12)
    assert jensen_gap(d) == pytest.approx(c * ((U**2).mean() - 0.25), abs=1e-12)


def test_a_floor_fakes_convexity():
    steep = np.maximum(-1, -2 * U)
    assert jensen_gap(steep) > 0.1
    assert jensen_gap(-2 * U) == pytest.approx(0, abs=1e-12)


def test_ruin_and_inoculation():
    d = np.zeros((40, 9))
    d[:3, 4] = -0.51
    assert (ruin(d).value, ruin(d, tau=0.6).value) == (3 / 40, 0)
    luck = np.random.default_rng(1).normal(0, 0.2, 50)
    gain = inoculation_gain(-0.3 + luck, -0.2 + luck)
    assert gain.low == pytest.approx(0.1)  # paired: what both have is gone
    assert gain.high == pytest.approx(0.1)
    with pytest.raises(InputError, match="pairs"):
        inoculation_gain(luck, luck[:20])


# Recovery -------------------------------------------------------------------------------------------------------------


def plain_recovery(ratio, since, eps, hold):
    near = [abs(r - 1) <= eps for r in ratio[since:]]
    if all(near):
        return 0, True
    start = near.index(False)
    for day in range(start, len(near) - hold + 1):
        if all(near[day : day + hold]):
            return day, True
    return len(near), False


@settings(max_examples=60)
@given(st.lists(st.sampled_from([1.0, 1.01, 0.9, 1.3]), min_size=8, max_size=30), st.integers(0, 3), st.integers(1, 5))
def test_days_to_recover_equal_a_plain_reference(ratio, since, hold):
    days, seen = days_to_recover(np.array(ratio), np.ones(len(ratio)), since=since, eps=0.02, hold=hold)
    assert (int(days), bool(seen)) == plain_recovery(ratio, since, 0.02, hold)


def test_a_delayed_harm_is_not_taken_for_recovery():
    ratio = np.ones(60)
    ratio[20:30] = 0.5  # buffers hold for ten days after the shock on day 10
    days, seen = days_to_recover(ratio, np.ones(60), since=10, hold=7)
    assert (days, seen) == (20, True)


def test_unfinished_runs_count():
    days = np.array([5.0, 10, 20, 100, 100, 100, 100])
    found = recovery_of(days, days < 100)
    assert found.median.value == np.inf  # the mean of finished runs would say 12
    assert found.share == pytest.approx(3 / 7)
    assert found.mean_within == pytest.approx(days.mean())  # all are cut at one day
    assert found.engineering_resilience.value == 0


def test_kaplan_meier_by_hand():
    found = recovery_of([3.0, 3, 5, 7, 9, 12], [True, True, False, True, True, False])
    assert found.times.tolist() == [3, 5, 7, 9, 12]
    assert found.survival == pytest.approx([4 / 6, 4 / 6, 4 / 9, 2 / 9, 2 / 9])
    assert found.median.value == 7
    assert found.median.low <= 7 <= found.median.high
    assert found.engineering_resilience.value == pytest.approx(1 / 7)
    assert found.engineering_resilience.low <= 1 / 7


def test_runs_that_all_recover_on_one_day():
    found = recovery_of(np.full(20, 4.0), np.ones(20, dtype=bool))
    assert (found.median.low, found.median.value, found.median.high) == (4, 4, 4)
    assert "20 of 20 recovered" in str(found)


def test_median_interval_covers_the_truth():
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(200):
        days = rng.exponential(50, 60)
        found = recovery_of(np.minimum(days, 90), days < 90)
        hits += found.median.low <= 50 * np.log(2) <= found.median.high
    assert 0.9 <= hits / 200 <= 0.995


def test_recovery_from_series():
    twin = np.full((4, 100), 10.0)
    output = twin.copy()
    for run, day in enumerate((15, 25, 35, 100)):
        output[run, 5:day] = 5.0
    found = time_to_recover(output, twin, since=5)
    assert found.days.tolist() == [10, 20, 30, 95]
    assert found.recovered.tolist() == [True, True, True, False]
    assert found.median.value == 20
    with pytest.raises(InputError, match="within the 100 days"):
        time_to_recover(output, twin, since=98)


def test_ecological_resilience_lies_between_ruled_out_and_shown():
    noise = np.random.default_rng(0).normal(0, 0.02, (100, 9))
    e = np.where(X >= 500, -0.05, 0.0) + noise
    found = ecological_resilience(X, e)
    assert (found.low, found.value, found.high) == (500, 500, 500)
    found = ecological_resilience(X, noise)
    assert found.value == np.inf
    assert str(found) == "above 800 [above 800, above 800] (n = 100)"
    vague = ecological_resilience(X, -0.03 * U + noise)
    assert vague.low <= vague.value <= vague.high
    assert vague.low < vague.high


# Time to survive ------------------------------------------------------------------------------------------------------


def chain(cover, flow=2.0):
    n = len(cover) + 1
    links = np.arange(n - 1)
    final = np.zeros(n)
    final[-1] = flow
    return {
        "supplier": links, "buyer": links + 1, "product": links, "flow": np.full(n - 1, flow),
        "stock": flow * np.asarray(cover, float), "final_demand": final,
    }  # fmt: skip


def test_a_chain_survives_the_sum_of_its_cover():
    line = chain([3.0, 5.0, 1.5])
    assert time_to_survive(0, **line) == pytest.approx(9.5)
    assert time_to_survive(1, **line) == pytest.approx(6.5)
    assert time_to_survive(3, **line) == pytest.approx(0)


def test_a_second_supplier_with_headroom_makes_up_for_a_lost_one():
    pair = {
        "supplier": [0, 1], "buyer": [2, 2], "product": [0, 0], "flow": [1.0, 1.0], "stock": [4.0, 4.0],
        "final_demand": [0.0, 0.0, 2.0],
    }  # fmt: skip
    assert time_to_survive(0, **pair) == pytest.approx(8)  # 8 in stock, short of 1 a day
    assert time_to_survive(0, **pair, headroom=0.5) == pytest.approx(16)
    assert time_to_survive(0, **pair, headroom=1.0) == np.inf
    apart = {**pair, "product": [0, 1]}
    assert time_to_survive(0, **apart, headroom=1.0) == pytest.approx(4)  # another product is no help
    assert at_risk([8.0, 16.0], [10.0, 10.0]).tolist() == [True, False]


def test_bad_networks_are_refused():
    line = chain([1.0, 2.0])
    with pytest.raises(InputError, match="one value for each link"):
        time_to_survive(0, **{**line, "stock": [1.0]})
    with pytest.raises(InputError, match="rows of the 3 firms"):
        time_to_survive(7, **line)
    with pytest.raises(InputError, match="not negative"):
        time_to_survive(0, **{**line, "stock": [-1.0, 1.0]})


# Equity and flow ------------------------------------------------------------------------------------------------------


QUANTILES = (np.arange(400_000) + 0.5) / 400_000


def test_inequality_in_closed_form():
    assert gini(-np.log1p(-QUANTILES)) == pytest.approx(0.5, abs=1e-4)
    assert gini((1 - QUANTILES) ** (-1 / 3)) == pytest.approx(1 / 5, abs=1e-3)
    for s in (0.3, 1.0):
        lognormal = np.exp(s * special.ndtri(QUANTILES))
        assert gini(lognormal) == pytest.approx(2 * special.ndtr(s / np.sqrt(2)) - 1, abs=1e-3)
        assert theil(lognormal) == pytest.approx(s**2 / 2, abs=2e-3)
    assert herfindahl(np.ones(8)) == 1 / 8
    assert [float(of([0, 0, 0, 2.0])) for of in (gini, theil, herfindahl)] == pytest.approx([0.75, np.log(4), 1])


@given(st.lists(st.floats(0.01, 1e6), min_size=2, max_size=20), st.floats(0.01, 100))
def test_inequality_has_no_units_and_rises_with_a_gift_to_the_richest(values, scale):
    held = np.array(values)
    richer = held.copy()
    richer[held.argmax()] *= 2
    for of in (gini, theil, herfindahl):
        assert of(scale * held) == pytest.approx(of(held), abs=1e-9)
        assert of(richer) >= of(held) - 1e-12
    pairs = np.abs(held[:, None] - held).mean() / (2 * held.mean())
    assert gini(held) == pytest.approx(pairs, abs=1e-9)


def test_inequality_of_replicates_has_an_interval():
    values = np.random.default_rng(0).exponential(size=(30, 5000))
    found = mean_interval(gini(values))
    assert found.low < 0.5 < found.high
    with pytest.raises(InputError, match="not negative"):
        gini([1.0, -1.0])
    with pytest.raises(InputError, match="sum to zero"):
        theil(np.zeros(3))


@pytest.mark.parametrize(("n", "degree"), [(10, 1), (12, 3), (30, 7)])
def test_flow_order_of_a_regular_network_is_exact(n, degree):
    rows = np.repeat(np.arange(n), degree)
    columns = (rows + np.tile(np.arange(1, degree + 1), n)) % n
    found = flow_order(rows, columns, np.full(n * degree, 3.0))
    assert found.order == pytest.approx(np.log(n / degree) / np.log(n * degree))
    assert found.capacity == pytest.approx(3 * n * degree * np.log(n * degree))
    assert found.n == n


@given(st.integers(0, 10_000))
def test_flow_order_is_bounded_and_has_no_units(seed):
    rng = np.random.default_rng(seed)
    rows, columns, flow = rng.integers(0, 9, 20), rng.integers(0, 9, 20), rng.exponential(size=20)
    one, other = flow_order(rows, columns, flow), flow_order(rows + 5, columns + 5, 10 * flow)
    assert 0 <= one.order <= 1 + 1e-12
    assert one.robustness <= np.exp(-1) + 1e-12
    assert other.order == pytest.approx(one.order)
    assert other.ascendency == pytest.approx(10 * one.ascendency, abs=1e-9)


def test_flow_without_pairs_is_refused():
    with pytest.raises(InputError, match="two pairs"):
        flow_order([0, 0], [1, 1], [1.0, 2.0])
    with pytest.raises(InputError, match="not negative"):
        flow_order([0, 1], [1, 0], [1.0, -2.0])


# Network covariates ---------------------------------------------------------------------------------------------------


def supply(n, links, seed=0):
    rng = np.random.default_rng(seed)
    keys = rng.choice(n * n, 2 * links, replace=False)
    s, b = keys // n, keys % n
    return s[s != b][:links], b[s != b][:links]


def test_schneider_in_closed_form_and_against_removal_by_removal():
    complete = np.array([(i, j) for i in range(12) for j in range(i)])
    assert schneider_r(*complete.T, 12) == pytest.approx(11 / 24)
    assert schneider_r(np.zeros(9, int), np.arange(1, 10), 10) == pytest.approx(9 / 100)
    graph = nx.gnm_random_graph(60, 120, seed=3)
    expected = 0
    left = graph.copy()
    while left:
        left.remove_node(max(left, key=lambda node: (left.degree(node), -node)))
        expected += max(map(len, nx.connected_components(left)), default=0)
    assert schneider_r(*np.array(graph.edges).T, 60) == pytest.approx(expected / 60**2)


def test_covariates_are_those_of_networkx_and_their_papers():
    s, b = supply(40, 120)
    found = network_covariates(s, b, firms=40, nulls=5)
    graph = nx.Graph(zip(s.tolist(), b.tolist(), strict=True))
    assert found["assortativity"].value == pytest.approx(nx.degree_assortativity_coefficient(graph))
    both = np.bincount(np.concatenate([s, b]), minlength=40)
    assert found["kappa"].value == pytest.approx((both**2).mean() / both.mean())
    A = np.zeros((40, 40))
    A[b, s] = 1
    assert found["gao_beta"].value == pytest.approx(np.ones(40) @ A @ A.sum(axis=1) / A.sum())
    assert np.isnan(found["kappa"].z)  # degrees alone decide
    assert np.isnan(found["gao_beta"].z)


def test_core_and_modules_stand_out_and_chance_does_not():
    rng = np.random.default_rng(1)
    cliques = [(i, j) for i in range(60) for j in range(60) if i != j and i // 10 == j // 10 and rng.random() < 0.5]
    modular = network_covariates(*np.array(cliques).T, firms=60, nulls=15)
    assert modular["modularity"].z > 10
    core = [(i, j) for i in range(8) for j in range(60) if i != j]
    cored = network_covariates(*np.array(core).T, firms=60, nulls=2)
    assert cored["core_periphery"].value == pytest.approx(1)
    weights = rng.exponential(size=120)
    chance = network_covariates(*supply(40, 120, 5), firms=40, flow=weights, nulls=30)
    assert max(abs(of.z) for of in chance.values() if not np.isnan(of.z)) < 4
    assert np.isfinite(chance["gao_beta"].z)
    again = network_covariates(*supply(40, 120, 5), firms=40, flow=weights, nulls=30)
    assert str(again) == str(chance)  # as text, since NaN is not equal to itself


def test_swaps_keep_degrees_and_make_simple_networks():
    s, b = supply(30, 100)
    swapped = _swap(s, b, 30, np.random.default_rng(0))
    assert sorted(swapped) == sorted(b)
    assert len(set(zip(s, swapped, strict=True))) == 100
    assert not (s == swapped).any()
    assert (swapped != b).mean() > 0.5


def test_swaps_reach_every_network_equally_often(monkeypatch):
    """Four firms with one supplier and one client each: the nine derangements of four, alike in the long run."""
    monkeypatch.setattr("ecosim.resilience.covariates.SWEEPS", 6)
    rng = np.random.default_rng(2)
    s, b = np.arange(4), np.array([1, 2, 3, 0])
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(700):
        b = _swap(s, b, 4, rng)
        counts[tuple(b.tolist())] = counts.get(tuple(b.tolist()), 0) + 1
    assert len(counts) == 9
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


@pytest.mark.parametrize(
    ("s", "b", "extra", "text"),
    [
        ([0, 1], [0, 2], {}, "supplies itself"),
        ([0, 1], [1, 9], {}, "rows of the 3 firms"),
        ([0], [1], {}, "at least two links"),
        ([0, 1], [1, 2], {"nulls": 1}, "nulls is 1"),
        ([0, 1], [1, 2], {"flow": [1.0, np.nan]}, "NaN"),
    ],
)
def test_bad_links_are_refused(s, b, extra, text):
    with pytest.raises(InputError, match=text):
        network_covariates(s, b, firms=3, **extra)
