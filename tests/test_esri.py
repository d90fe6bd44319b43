"""Economic Systemic Risk Index: the authors' own numbers, a literal reference, and faults in the input."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import sparse

from ecosim.kernels import systemic_risk as kernel
from ecosim.published import systemic_risk
from ecosim.published.systemic_risk import SystemicRisk, esri

GOLDEN = sorted((Path(__file__).parent / "golden").glob("esri_*.json"))
EMPTY, ESSENTIAL = 1e-10, 2
DECISIVE = 1e-9
"""How far a fall must lie from the tolerance for rounding not to decide the number of rounds."""


# --- the specification, word for word ---------------------------------------------------------------------------------


def sum_of(terms: list[float]) -> float:
    return float(sum(terms))


def literal_weights(
    firms: pd.DataFrame, links: pd.DataFrame, essential: pd.DataFrame
) -> tuple[dict[Any, float], dict[Any, float], dict[Any, float]]:
    """Downstream weights Ld[i, j], upstream weights Lu[i, j], total sales."""
    flows: dict[tuple[Any, Any], float] = {}
    for i, j, w in zip(links["supplier"], links["client"], links["flow"], strict=True):
        if w > 0:
            flows[i, j] = flows.get((i, j), 0.0) + w
    sold = {i: sum_of([w for (a, _), w in flows.items() if a == i]) for i in firms.index}
    bought = {j: sum_of([w for (_, b), w in flows.items() if b == j]) for j in firms.index}
    sector = firms["sector"]
    down: dict[Any, float] = {}
    up: dict[Any, float] = {}
    for (i, j), w in flows.items():
        need = essential.loc[sector[i], sector[j]]
        from_sector = sum_of([v for (a, b), v in flows.items() if b == j and sector[a] == sector[i]])
        down[i, j] = {2: w / from_sector, 1: w / bought[j], 0: 0.0}[need]
        if "costs" in firms:
            down[i, j] *= bought[j] / (firms["costs"][j] or 1)
        up[i, j] = w / ((firms["revenue"][i] or 1) if "revenue" in firms else sold[i])
    return down, up, sold


def substitution(firms: pd.DataFrame, sold: dict[Any, float], h_d: dict[Any, float]) -> dict[Any, float]:
    """Sigma of each firm."""
    if "market" not in firms:
        return dict.fromkeys(firms.index, 1.0)
    sigma = {}
    for i in firms.index:
        left = sum_of([h_d[j] * sold[j] for j in firms.index if firms["market"][j] == firms["market"][i]])
        sigma[i] = min(1.0, sold[i] / (left if left > EMPTY else 1.0))
    return sigma


def literal(
    firms: pd.DataFrame,
    links: pd.DataFrame,
    essential: pd.DataFrame,
    psi: dict[Any, float],
    psi_up: dict[Any, float],
    rule: tuple[float, int],
    most: int = 400,
) -> tuple[list[float], int, float, list[dict[Any, float]]]:
    """One scenario: [ESRI, downstream, upstream], rounds, smallest distance to the tolerance, [h_d, h_u].

    Rounds are 0 where `most` did not suffice.
    """
    tolerance, convergence = rule
    down, up, sold = literal_weights(firms, links, essential)
    weight = dict(firms["weight"]) if "weight" in firms else sold
    sector, sectors, names = firms["sector"], essential.index, list(firms.index)
    h_d, h_u = {i: 1 - psi[i] for i in names}, {i: 1 - psi_up[i] for i in names}
    margin = 1.0

    def index() -> list[float]:
        total = sum(weight.values())
        losses = ({i: 1 - min(h_d[i], h_u[i]) for i in names}, {i: 1 - h_d[i] for i in names},
                  {i: 1 - h_u[i] for i in names})  # fmt: skip
        return [sum_of([weight[i] / total * loss[i] for i in names]) for loss in losses]

    for time in range(1, most + 1):
        before = index()[0]
        sigma = substitution(firms, sold, h_d)
        new_d, new_u = {}, {}
        for j in names:
            loss = {k: sum_of([down[i, b] * sigma[i] * (1 - h_d[i]) for i, b in down if b == j and sector[i] == k])
                    for k in sectors}  # fmt: skip
            needed = [1 - loss[k] for k in sectors if essential.loc[k, sector[j]] == ESSENTIAL]
            helpful = 1 - sum_of([loss[k] for k in sectors if essential.loc[k, sector[j]] == 1])
            new_d[j] = max(0.0, min([1 - psi[j], *needed, helpful]))
            lost_orders = sum_of([up[a, c] * (1 - h_u[c]) for a, c in up if a == j])
            new_u[j] = max(0.0, min(1 - psi_up[j], 1 - lost_orders))
        fall = max(max(h_d[i] - new_d[i], h_u[i] - new_u[i]) for i in names)
        h_d, h_u = new_d, new_u
        after = index()[0]
        if convergence == 1:
            stop, gap = fall <= tolerance, fall - tolerance
        else:
            growth = after / before if before > 0 else (1.0 if after <= 0 else np.inf)
            stop, gap = growth <= 1 + tolerance, growth - 1 - tolerance
        margin = min(margin, abs(gap))
        if stop:
            return index(), time, margin, [h_d, h_u]
    return index(), 0, margin, [h_d, h_u]


# --- the authors' program ---------------------------------------------------------------------------------------------


def network_of(case: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `esri` for a golden file."""
    given_ = case["inputs"]
    firms = pd.DataFrame({"sector": [str(label) for label in given_["p"]]})
    if given_["sigma_substitution"]:
        firms["market"] = given_["p_market"]
    labels = given_["ess_labels"]
    return {
        "firms": firms,
        "links": pd.DataFrame(given_["edges"], columns=["supplier", "client", "flow"]),
        "essential": pd.DataFrame(given_["ess"], index=labels, columns=labels),
        "failures": None if isinstance(given_["psi"], str) else np.array(given_["psi"]).T,
        "tolerance": given_["eps"],
        "convergence": given_["conv_type"],
    }


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_authors_program(path: Path) -> None:
    case = json.loads(path.read_text())
    risk, printed = esri(**network_of(case)), case["outputs"]
    for ours, theirs in (("esri", "ESRI"), ("downstream", "ESRI_d"), ("upstream", "ESRI_u")):
        np.testing.assert_allclose(getattr(risk, ours), printed[theirs], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(risk.iterations, printed["iterations"])
    losses = risk.losses()
    np.testing.assert_allclose(losses.downstream, printed["hd_loss"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(losses.upstream, printed["hu_loss"], rtol=0, atol=1e-9)


def test_golden_files_are_here() -> None:
    assert [path.name[5:7] for path in GOLDEN] == ["01", "03", "06", "09", "12", "14"]


# --- the kernel equals the specification ------------------------------------------------------------------------------


@st.composite
def economies(draw: st.DrawFn) -> dict[str, Any]:
    """Small networks with every option: repeated and self-links, dead flows, idle firms, tiny money units."""
    n = draw(st.integers(1, 7))
    names = [f"f{i}" for i in range(n)]
    some = st.sampled_from(names)
    unit = draw(st.sampled_from([1.0, 0.03]))
    sectors = ["a", "b", "c"]
    firms = pd.DataFrame({"sector": draw(st.lists(st.sampled_from(sectors), min_size=n, max_size=n))}, index=names)
    if draw(st.booleans()):
        firms["market"] = draw(st.lists(st.sampled_from(["q", "r"]), min_size=n, max_size=n))
    for column, low in (("revenue", 0), ("costs", 0), ("weight", 1)):
        if draw(st.booleans()):
            firms[column] = [unit * x for x in draw(st.lists(st.integers(low, 30), min_size=n, max_size=n))]
    rows = draw(st.lists(st.tuples(some, some, st.integers(0, 12)), max_size=18))
    links = pd.DataFrame([(names[0], names[-1], 1), *rows], columns=["supplier", "client", "flow"])
    links["flow"] *= unit
    needs = draw(st.lists(st.sampled_from([0, 1, 2]), min_size=9, max_size=9))
    essential = pd.DataFrame(np.reshape(needs, (3, 3)), sectors, sectors)
    lost = st.lists(st.sampled_from([0.0, 0.0, 0.15, 0.5, 1.0]), min_size=2 * n, max_size=2 * n)
    failures = draw(st.none() | lost)
    upstream = draw(st.none() | lost) if failures is not None else None
    frames = [
        None if x is None else pd.DataFrame(np.reshape(x, (n, 2)), names, ["x", "y"]) for x in (failures, upstream)
    ]
    return {
        "firms": firms, "links": links, "essential": essential, "failures": frames[0],
        "upstream_failures": frames[1], "tolerance": draw(st.sampled_from([1e-1, 1e-2, 1e-5])),
        "convergence": draw(st.sampled_from([1, 2])),
    }  # fmt: skip


@given(economies())
def test_equals_specification(case: dict[str, Any]) -> None:
    firms = case["firms"]
    psi = case["failures"]
    if psi is None:
        psi = pd.DataFrame(np.eye(len(firms)), firms.index, firms.index)
    psi_up = case["upstream_failures"] if case["upstream_failures"] is not None else psi
    frames = firms, case["links"], case["essential"]
    expected = {
        s: literal(*frames, dict(psi[s]), dict(psi_up[s]), (case["tolerance"], case["convergence"])) for s in psi
    }
    assume(all(rounds and margin > DECISIVE for _, rounds, margin, _ in expected.values()))
    risk = esri(**case)
    losses = risk.losses()
    for scenario, (sums, rounds, _, (h_d, h_u)) in expected.items():
        found = [risk.esri[scenario], risk.downstream[scenario], risk.upstream[scenario]]
        assert found == pytest.approx(sums, abs=1e-12)
        assert risk.iterations[scenario] == rounds
        assert list(losses.downstream[scenario]) == pytest.approx([1 - h for h in h_d.values()], abs=1e-12)
        assert list(losses.upstream[scenario]) == pytest.approx([1 - h for h in h_u.values()], abs=1e-12)


def scale_free(n: int, sectors: int, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    size = rng.pareto(1.5, n) + 0.2
    client = np.repeat(np.arange(n), 5)
    links = pd.DataFrame({"supplier": rng.choice(n, client.size, p=size / size.sum()), "client": client})
    links["flow"] = rng.lognormal(2, 1, client.size)
    firms = pd.DataFrame({"sector": rng.integers(0, sectors, n)})
    firms["market"] = firms["sector"]
    return {"firms": firms, "links": links, "essential": pd.DataFrame(rng.integers(0, 3, (sectors, sectors)))}


def test_several_batches_equal_specification_and_no_scenario_sees_another() -> None:
    n = kernel.LANES + 16
    case = scale_free(n, 4)
    risk = esri(**case)
    chosen = (3, 7, n - 1)
    alone = esri(**case, failures={i: {i: 1.0} for i in chosen})
    for i in chosen:
        psi = {j: float(i == j) for j in range(n)}
        sums, rounds, _, _ = literal(case["firms"], case["links"], case["essential"], psi, psi, (1e-2, 1))
        assert [risk.esri[i], risk.downstream[i], risk.upstream[i]] == pytest.approx(sums, abs=1e-12)
        assert risk.iterations[i] == rounds
        # Not nearly: a scenario's numbers do not depend on those beside it.
        assert [alone.esri[i], alone.iterations[i]] == [risk.esri[i], risk.iterations[i]]


# --- the answer -------------------------------------------------------------------------------------------------------


def chain(**changes: Any) -> SystemicRisk:
    """a -> b -> c, one firm a sector, everything essential; `changes` replace arguments."""
    arguments: dict[str, Any] = {
        "firms": pd.DataFrame({"sector": [1, 2, 3]}, index=["a", "b", "c"]),
        "links": pd.DataFrame({"supplier": ["a", "b"], "client": ["b", "c"], "flow": [1.0, 3.0]}),
        "essential": pd.DataFrame(2, index=[1, 2, 3], columns=[1, 2, 3]),
    }
    return esri(**{**arguments, **changes})


def test_answer_is_labelled_frozen_and_lazy() -> None:
    risk = chain()
    assert list(risk.esri.index) == ["a", "b", "c"]
    assert [risk.esri["a"], risk.downstream["a"], risk.upstream["a"]] == pytest.approx([1.0, 1.0, 0.25])
    with pytest.raises(AttributeError):
        risk.esri = risk.upstream  # type: ignore[misc]
    losses = risk.losses(["c"])
    assert losses.upstream["c"].to_dict() == {"a": 1.0, "b": 1.0, "c": 1.0}
    assert losses.downstream.shape == (3, 1)
    with pytest.raises(KeyError, match="'z' was not run"):
        risk.losses(["z"])
    pd.testing.assert_series_equal(pickle.loads(pickle.dumps(risk)).esri, risk.esri)


def test_repeated_links_add_up_and_zero_flows_do_nothing() -> None:
    whole = scale_free(40, 4)
    half = whole["links"].assign(flow=whole["links"]["flow"] / 2)
    nothing = pd.DataFrame({"supplier": [0, 1], "client": [2, 3], "flow": [0.0, 0.0]})
    split = esri(**{**whole, "links": pd.concat([half, nothing, half], ignore_index=True)})
    pd.testing.assert_series_equal(split.esri, esri(**whole).esri, rtol=1e-12)


def test_every_form_of_failures_means_the_same() -> None:
    psi = np.array([[1.0, 0.0], [0.0, 0.4], [0.0, 0.2]])
    frame = pd.DataFrame(psi, index=["a", "b", "c"])
    sparsely = {0: {"a": 1.0}, 1: {"c": 0.2, "b": 0.4}}
    forms = [psi, frame, frame.loc[["c", "a", "b"]], sparse.csr_array(psi), sparsely, {0: psi[:, 0], 1: frame[1]}]
    expected = chain(failures=psi)
    for form in forms:
        found = chain(failures=form)
        assert found.esri.tolist() == expected.esri.tolist()
        assert found.losses([1]).downstream.equals(expected.losses([1]).downstream)
    assert chain(failures=psi[:, 0]).esri.tolist() == expected.esri.tolist()[:1]
    assert chain(failures=frame[0]).esri.tolist() == expected.esri.tolist()[:1]
    swapped = chain(failures=frame, upstream_failures=frame[[1, 0]])
    assert swapped.esri.tolist() == expected.esri.tolist()


def test_upstream_failures_are_their_own() -> None:
    none = pd.DataFrame(0.0, index=["a", "b", "c"], columns=["a", "b", "c"])
    risk = chain(upstream_failures=none)
    assert risk.upstream.tolist() == [0.0, 0.0, 0.0]
    assert risk.downstream.tolist() == chain().downstream.tolist()


def test_nothing_lost_ends_after_one_round() -> None:
    for convergence in (1, 2):
        risk = chain(failures=np.zeros((3, 1)), convergence=convergence)
        assert [risk.esri[0], risk.iterations[0]] == [0.0, 1]


def test_without_trade_only_the_failed_firm_is_lost() -> None:
    risk = chain(firms=FIRMS.assign(weight=[1, 2, 1]), links=LINKS.assign(flow=0))
    assert risk.esri.tolist() == [0.25, 0.5, 0.25]


def test_endless_cascade_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemic_risk, "ROUNDS", 1)
    with pytest.raises(RuntimeError, match=r"had not settled after 1 rounds at tolerance=0.01; raise tolerance"):
        chain()


def test_lanes_are_fewer_on_large_networks() -> None:
    assert kernel.LANES > kernel.FEWEST_LANES >= 1
    assert kernel.ROOM // 100_000 < kernel.FEWEST_LANES


# --- faults in the input ----------------------------------------------------------------------------------------------

FIRMS = pd.DataFrame({"sector": [1, 2, 3]}, index=["a", "b", "c"])
LINKS = pd.DataFrame({"supplier": ["a", "b"], "client": ["b", "c"], "flow": [1.0, 3.0]})
ALL = pd.DataFrame(2, index=[1, 2, 3], columns=[1, 2, 3])
FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"links": LINKS.assign(client=["b", "z"])}, r"links\['client'\]: unknown firm 'z' in row 1; add it"),
    ({"links": LINKS.assign(flow=[1.0, -3.0])}, r"links\['flow'\]: -3.0 in row 1; give finite numbers >= 0"),
    ({"links": LINKS.assign(flow=[np.nan, 3.0])}, r"links\['flow'\]: nan in row 0; give finite"),
    ({"links": LINKS.assign(flow=["1", "many"])}, r"links\['flow'\]: not all numbers .*'many'.*; convert"),
    ({"links": LINKS.drop(columns="flow")}, r"links: no column 'flow'; columns are 'supplier', 'client'"),
    ({"links": LINKS.iloc[:0]}, r"links: the frame is empty; give at least one row"),
    ({"links": LINKS.assign(flow=0.0)}, r"links\['flow'\] sums to 0.0, so firms have no weight; give"),
    ({"links": [("a", "b", 1.0)]}, r"links: list given; give a pandas DataFrame"),
    ({"firms": FIRMS.iloc[:0]}, r"firms: the frame is empty; give at least one row"),
    ({"firms": FIRMS.rename(columns={"sector": "branch"})}, r"firms: no column 'sector'; columns are 'branch'"),
    ({"firms": FIRMS.set_axis(["a", "b", "b"])}, r"firms: index repeats 'b'; give each firm one row"),
    ({"firms": FIRMS.assign(sector=[1, np.nan, 3])}, r"firms\['sector'\]: missing for firm 'b'; name a sector"),
    ({"firms": FIRMS.assign(market=[1, np.nan, 1])}, r"firms\['market'\]: missing for firm 'b'; name a market"),
    ({"firms": FIRMS.assign(revenue=[1, -1, 1])}, r"firms\['revenue'\]: -1.0 in row 'b'; give finite numbers >= 0"),
    ({"firms": FIRMS.assign(costs=[1, np.inf, 1])}, r"firms\['costs'\]: inf in row 'b'; give finite"),
    ({"firms": FIRMS.assign(weight=0)}, r"firms\['weight'\] sums to 0.0, so firms have no weight; give"),
    ({"essential": ALL.replace(2, 3)}, r"essential: 3.0 for supplier sector 1, buyer sector 1; give 2 \(essential\)"),
    ({"essential": ALL.astype(float).replace(2, np.nan)}, r"essential: nan for supplier sector 1"),
    ({"essential": ALL.drop(index=3)}, r"essential: sector\(s\) 3 of firms missing from the rows, .* 1, 2; add them"),
    ({"essential": ALL.drop(columns=[1, 3])}, r"essential: sector\(s\) 1, 3 of firms missing from the columns"),
    ({"essential": ALL.rename(index=str)}, r"sector\(s\) 1, 2, 3 .*; the labels differ only in type, convert one side"),
    ({"essential": ALL.set_axis([1, 2, 2])}, r"essential: rows repeat 2; keep one each"),
    ({"failures": np.zeros((2, 3))}, r"failures: shape \(2, 3\); give \(3 firms, scenarios\), transpose"),
    ({"failures": np.full((3, 1), 1.5)}, r"failures: 1.5 for firm 'a' in scenario 0; give the fraction lost, from 0"),
    ({"failures": {"s": {"b": np.nan}}}, r"failures: nan for firm 'b' in scenario 's'"),
    ({"failures": {"s": {"z": 0.5}}}, r"failures\['s'\]: unknown firm 'z'; name rows by the index of firms"),
    ({"failures": {"a": 0.5}}, r"failures\['a'\]: shape \(\); give \{firm: psi\}"),
    ({"failures": {}}, r"failures: no scenario; give at least one column"),
    ({"failures": pd.DataFrame(0.5, index=["a", "a"], columns=["s"])}, r"failures: repeats firm\(s\) 'a'"),
    ({"failures": pd.DataFrame(0.5, index=["a"], columns=["s", "s"])}, r"failures: repeats scenario\(s\) 's'"),
    ({"upstream_failures": {"z": {"a": 1.0}}}, r"upstream_failures: scenarios 'z' differ from those of failures"),
    ({"tolerance": -1e-3}, r"tolerance=-0.001; give a finite number >= 0"),
    ({"tolerance": float("nan")}, r"tolerance=nan; give a finite number >= 0"),
    ({"convergence": 3}, r"convergence=3; choose 1 \(largest fall of h\) or 2"),
]


@pytest.mark.parametrize(
    ("change", "message"), FAULTS, ids=[f"{next(iter(change))}-{i}" for i, (change, _) in enumerate(FAULTS)]
)
def test_fault_names_value_place_and_mend(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        chain(**change)
