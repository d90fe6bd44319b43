"""The verdict: against a plain reference, at its margins, in sequence, over several structures, and on bad input."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ecosim.errors import InputError
from ecosim.resilience import Margins, Responses, classify, correct, dominance, holm, sequential

SCRIPT = Path(__file__).parent.parent / "experiments" / "verdict_errors.py"
X = np.linspace(0, 800, 9)
U = X / 800
CALM = np.zeros(9)
SHAPES = {
    "FRAGILE": -0.3 * U**2,
    "ROBUST": CALM,
    "RESILIENT": -0.1 * U,
    "ANTIFRAGILE": 0.4 * U**2,
}


def study(f, n=200, sd=0.03, seed=0):
    """Replicates around a response, equal at x = 0, shape (n, intensities)."""
    noise = np.random.default_rng(seed).normal(0, sd, (n, len(f)))
    noise[:, 0] = 0
    return f + noise


def steady(f, n=200):
    return np.tile(f, (n, 1))


# The rule -------------------------------------------------------------------------------------------------------------


def reference(d, e, m=0.02, tau=0.5, p_ruin=0.05):
    """Every claim's P value, one test of scipy at a time."""

    def p(values, margin, side):
        return stats.ttest_1samp(values, margin, alternative=side).pvalue

    last = d.shape[1] - 1
    concave, harmless = [], []
    for j in range(1, last):
        k = min(j, last - j)
        bend = (d[:, j + k] + d[:, j - k]) / 2 - d[:, j]
        concave.append(max(p(bend, -m, "less"), p(d[:, j + k], -m, "less")))
        harmless.append(min(1, 2 * min(p(bend, -m, "greater"), p(d[:, j + k], -m, "greater"))))
    lasting = [p(e[:, i], -m, "less") for i in range(1, last + 1)]
    ruined = int((d.min(axis=1) < -tau).sum())
    found = {
        "concave": min(1, len(concave) * min(concave)),
        "unrecovered": min(1, last * min(lasting)),
        "ruin": stats.binomtest(ruined, len(d), p_ruin, alternative="greater").pvalue,
        "not concave": max(harmless),
        "recovered": max(p(e[:, i], -m, "greater") for i in range(last + 1)),
        "no ruin": stats.binomtest(ruined, len(d), p_ruin, alternative="less").pvalue,
        "convex": p(d.mean(axis=1) - d[:, last // 2], m, "greater"),
        "gain": p(d.mean(axis=1), m, "greater"),
    }
    found["fragile"] = min(1, 3 * min(found["concave"], found["unrecovered"], found["ruin"]))
    found["non-fragile"] = max(found["not concave"], found["recovered"], found["no ruin"])
    found["antifragile"] = max(found["non-fragile"], found["convex"], found["gain"])
    found["unmoved"] = max(
        max(p(values[:, i], m, "less"), p(values[:, i], -m, "greater")) for values in (d, e) for i in range(last + 1)
    )
    found["robust"] = max(found["non-fragile"], found["unmoved"])
    return found


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    points=st.sampled_from([5, 7, 9, 11]),
    n=st.integers(3, 60),
    sd=st.sampled_from([0.01, 0.05, 0.3]),
)
def test_p_values_equal_a_plain_reference(seed, points, n, sd):
    rng = np.random.default_rng(seed)
    d = rng.normal(0, 0.05, points) + rng.normal(0, sd, (n, points))
    e = rng.normal(0, 0.02, points) + rng.normal(0, sd, (n, points))
    verdict = classify(np.linspace(0, 7, points), d, e)
    expected = reference(d, e)
    assert verdict.p_values.keys() == expected.keys()
    for name, p in expected.items():
        assert verdict.p_values[name] == pytest.approx(p, rel=1e-8, abs=1e-12), name


@pytest.mark.parametrize("label", SHAPES)
@pytest.mark.parametrize("points", [5, 9, 17])
def test_each_label_is_given_where_it_belongs(label, points):
    x = np.linspace(0, 800, points)
    f = np.interp(x, X, SHAPES[label]) if label in ("ROBUST", "RESILIENT") else SHAPES[label][-1] * (x / 800) ** 2
    verdict = classify(x, study(f), study(0 * x, seed=1))
    assert verdict.label == label
    assert verdict.needed == 0
    assert verdict.gain == pytest.approx(f.mean(), abs=0.005)
    assert verdict.worst == pytest.approx(f.min(), abs=0.01)


def test_numbers_are_those_of_the_curve():
    verdict = classify(X, steady(-0.3 * U**2), steady(CALM))
    rise = (np.arange(9) ** 2).mean() / 64
    assert verdict.gain == pytest.approx(-0.3 * rise)
    assert verdict.jensen_gap == pytest.approx(-0.3 * (rise - 0.25))
    assert verdict.min_curvature == pytest.approx(-0.3 * 0.25)
    assert verdict.worst == pytest.approx(-0.3)
    assert verdict.curvature == pytest.approx(-0.3 * np.array([1, 2, 3, 4, 3, 2, 1]) ** 2 / 64)
    assert verdict.intervals["ruin"].high == pytest.approx(1 - 0.025 ** (1 / 200))  # none of 200, exactly


@pytest.mark.parametrize(
    ("d", "e", "reason"),
    [
        (-0.3 * U**2, CALM, "concave at x = 400 (H = -7.5 %, with d = -30 % at x = 800)"),
        (-0.1 * U, -0.05 * U, "unrecovered at x = 800 (e = -5 %)"),
        (-0.6 * (U == 1), CALM, "ruin in 200 of 200 replicates"),
    ],
)
def test_fragile_says_why(d, e, reason):
    verdict = classify(X, steady(d), steady(e))
    assert verdict.label == "FRAGILE"
    assert reason in verdict.reason


def test_a_gain_does_not_hide_ruin():
    d = study(0.4 * U**2)
    d[:30, -1] = -0.6
    verdict = classify(X, d, study(CALM, seed=1))
    assert (verdict.label, verdict.reason[:4]) == ("FRAGILE", "ruin")
    assert verdict.gain > 0.1


def test_a_saturating_loss_is_convex_and_no_more_than_resilient():
    verdict = classify(X, study(-0.3 * (1 - np.exp(-5 * U))), study(CALM, seed=1))
    assert verdict.jensen_gap > 0.02
    assert verdict.label == "RESILIENT"


def test_a_saturating_gain_is_flagged():
    verdict = classify(X, study(0.15 * (1 - np.exp(-3 * U))), study(CALM, seed=1))
    assert verdict.gains
    assert str(verdict).startswith("RESILIENT (gain): ")


def test_equal_replicates_are_certain_and_a_mean_on_its_margin_is_neither():
    assert classify(X, steady(CALM), steady(CALM)).label == "ROBUST"
    verdict = classify(X, steady(-0.08 * U**2), steady(CALM))  # H = -0.02 exactly, with a loss
    assert verdict.label == "INCONCLUSIVE"
    assert verdict.needed is None
    assert "on a margin" in verdict.reason


def test_units_of_x_do_not_matter_but_are_told():
    d, e = study(SHAPES["FRAGILE"]), study(CALM, seed=1)
    one, other = classify(X, d, e), classify(X / 400, d, e)
    assert one.p_values == other.p_values
    assert "x = 400" in one.reason
    assert "x = 1 " in other.reason


def test_floor_is_that_of_the_design():
    margins = Margins()
    assert (margins.floor(), margins.floor(25)) == (86, 149)
    assert 0.95**86 <= 0.05 / 4 < 0.95**85  # why: no ruin at all in fewer does not show that it is rare
    few, enough = (classify(X, steady(CALM, n), steady(CALM, n)) for n in (85, 86))
    assert (few.label, few.needed) == ("INCONCLUSIVE", 1)
    assert "floor of 86" in few.reason
    assert enough.label == "ROBUST"
    assert classify(X, steady(-0.3 * U**2, 3), steady(CALM, 3)).label == "FRAGILE"


def test_needed_replicates_settle_most_studies():
    f = -0.12 * U**2
    first = classify(X, study(f, 60, 0.05), study(CALM, 60, 0.05, 1))
    assert first.label == "INCONCLUSIVE"
    assert f"about {first.needed} more" in first.reason
    # What was seen is not quite the truth, so the promise is held against studies of what was seen.
    seen, n = first.response, first.n + first.needed
    labels = [classify(X, study(seen, n, 0.05, 2 * i), study(CALM, n, 0.05, 2 * i + 1)).label for i in range(60)]
    assert 0.65 < labels.count("FRAGILE") / 60 <= 1
    half = [classify(X, study(seen, n // 3, 0.05, 2 * i), study(CALM, n // 3, 0.05, 1)).label for i in range(60)]
    assert half.count("FRAGILE") < labels.count("FRAGILE") / 2


def test_the_label_is_never_shown_alone():
    verdict = classify(X, study(SHAPES["RESILIENT"]), study(CALM, seed=1), looks=4)
    for text in (str(verdict), repr(verdict), f"{verdict}"):
        for part in ("RESILIENT: ", "G -", "worst d -", "min H ", "J ", "ruin 0 of 200", "n = 200", "delta 2 %", "P "):
            assert part in text
        assert "alpha 0.05, 0.0125 at each of 4 looks" in text
    row = verdict.row()
    assert (row["label"], row["n"]) == ("RESILIENT", 200)
    assert row["gain_low"] < row["gain"] < row["gain_high"]
    assert row["p_non_fragile"] == verdict.p_values["non-fragile"]
    assert pd.DataFrame([row]).notna().all(axis=None)


def test_importing_the_names_does_not_import_scipy():
    program = "import sys, ecosim.resilience as r; dir(r); print('scipy' in sys.modules); r.classify; r.dominance"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# Bad input ------------------------------------------------------------------------------------------------------------


GOOD = study(SHAPES["RESILIENT"])


def changed(at, value):
    array = GOOD.copy()
    array[at] = value
    return array


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((X, GOOD[:1], GOOD[:1]), "d has 1 replicates; a spread needs at least 2"),
        ((X, GOOD[0], GOOD[0]), r"d has shape \(9,\); give 2 axes"),
        ((X, changed((3, 4), np.nan), GOOD), "d is nan at replicate 3, position 4"),
        ((X, GOOD, changed((0, 8), -np.inf)), "e is -inf at replicate 0, position 8"),
        ((X, GOOD, GOOD[:, :7]), "e has 7 intensities and x has 9"),
        ((X, GOOD, GOOD[:100]), "d has 200 replicates, e 100"),
        ((X[:8], GOOD[:, :8], GOOD[:, :8]), "odd number of intensities"),
        ((X[:3], GOOD[:, :3], GOOD[:, :3]), "odd number of intensities from 5"),
        ((X + 100, GOOD, GOOD), "x begins at 100; its first intensity must be 0"),
        ((X**2, GOOD, GOOD), "x must rise in equal steps"),
        ((-X, GOOD, GOOD), "x must rise in equal steps"),
        ((0 * X, GOOD, GOOD), "x must rise in equal steps"),
        ((np.where(X > 0, X, np.nan), GOOD, GOOD), "x holds NaN"),
        ((["a"] * 9, GOOD, GOOD), "x must be numbers"),
        ((X, [["a"] * 9] * 3, GOOD), "d must be numbers"),
    ],
)
def test_bad_arrays_are_refused(arguments, text):
    with pytest.raises(InputError, match=text):
        classify(*arguments)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("delta", 0),
        ("delta", 2),
        ("delta_e", -1),
        ("delta_e", "2 %"),
        ("delta_j", np.nan),
        ("tau", np.inf),
        ("tau", 1),
        ("p_ruin", 0),
        ("alpha", 1),
        ("alpha", True),
        ("looks", 0),
    ],
)
def test_bad_margins_are_refused(name, value):
    with pytest.raises(InputError, match=f"{name} is"):
        classify(X, GOOD, GOOD, **{name: value})


# In sequence ----------------------------------------------------------------------------------------------------------


def barely_fragile(n, t):
    """End states of which the last lies ``t`` standard errors beyond the margin, all others at 0."""
    e = steady(CALM, n)
    swing = np.tile([-1.0, 1.0], n // 2)
    e[:, -1] = -0.02 + 0.01 * (swing - t * swing.std(ddof=1) / np.sqrt(n))
    return e


def test_looks_share_alpha():
    e = barely_fragile(100, 3.3)
    once, often = (classify(X, steady(-0.05 * U, 100), e, looks=looks) for looks in (1, 4))
    p = 3 * 8 * stats.t.sf(3.3, 99)
    assert 0.05 / 4 < p <= 0.05, "the example lies between both levels"
    assert once.p_values["fragile"] == often.p_values["fragile"] == pytest.approx(p)
    assert (once.label, often.label) == ("FRAGILE", "INCONCLUSIVE")


@pytest.mark.parametrize(
    ("shape", "n", "label", "go_on"),
    [
        ("FRAGILE", 60, "FRAGILE", None),
        ("ROBUST", 60, "INCONCLUSIVE", 120),
        ("ROBUST", 120, "ROBUST", None),
        ("ANTIFRAGILE", 120, "ANTIFRAGILE", None),
        ("RESILIENT", 120, "RESILIENT", 240),
        ("RESILIENT", 240, "RESILIENT", None),
    ],
)
def test_when_to_go_on(shape, n, label, go_on):
    look = sequential(X, study(SHAPES[shape], n), study(CALM, n, seed=1))
    assert (look.verdict.label, look.go_on) == (label, go_on)
    assert str(look).startswith("stop: " if go_on is None else f"go on to {go_on} ")


def test_the_last_look_ends_an_undecided_study():
    look = sequential(X, steady(-0.08 * U**2, 480), steady(CALM, 480))
    assert (look.verdict.label, look.go_on) == ("INCONCLUSIVE", None)


def test_only_the_schedule_is_looked_at():
    with pytest.raises(InputError, match="200 replicates are not a look"):
        sequential(X, GOOD, GOOD)
    with pytest.raises(InputError, match="looks is fixed"):
        sequential(X, steady(CALM, 60), steady(CALM, 60), looks=2)


# Several structures ---------------------------------------------------------------------------------------------------


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_equals_the_step_down_of_its_paper(p):
    adjusted = holm(p)
    order = np.argsort(p, kind="stable")
    for alpha in (0.01, 0.05, 0.2):
        rejected = set()
        for step, at in enumerate(order):
            if p[at] * (len(p) - step) > alpha:
                break
            rejected.add(at)
        assert rejected == set(np.flatnonzero(adjusted <= alpha))


def several():
    """One structure whose FRAGILE stands alone only, between two that are clear and eight without harm."""
    shapes = {"clear": study(-0.4 * U**2, 160), "weak": steady(-0.05 * U, 160), "gain": study(0.4 * U**2, 160)}
    shapes |= {f"calm {i}": study(CALM, 160, seed=10 + i) for i in range(8)}
    left = study(CALM, 160, seed=1)
    return {name: classify(X, d, barely_fragile(160, 3.2) if name == "weak" else left) for name, d in shapes.items()}


def test_correction_weakens_what_would_not_stand_among_several():
    alone = several()
    assert alone["weak"].label == "FRAGILE"
    strict, screened = correct(alone), correct(alone, "bh")
    for corrected in (strict, screened):
        assert [corrected[name].label for name in ("clear", "gain", "calm 0")] == ["FRAGILE", "ANTIFRAGILE", "ROBUST"]
    fragile = [verdict.p_values["fragile"] for verdict in alone.values()]
    assert [v.p_values["fragile"] for v in strict.values()] == pytest.approx(holm(fragile))
    assert [v.p_values["fragile"] for v in screened.values()] == pytest.approx(stats.false_discovery_control(fragile))
    weak = strict["weak"]
    assert weak.label == "INCONCLUSIVE"
    assert weak.needed > 0
    assert "FRAGILE alone, not after Holm over 11 structures" in weak.reason
    assert "Holm over 11 structures" in str(weak)


def test_below_the_floor_of_several_only_fragile_stays():
    alone = {str(i): classify(X, steady(CALM, 100), steady(CALM, 100)) for i in range(25)}
    alone["0"] = classify(X, steady(SHAPES["FRAGILE"], 100), steady(CALM, 100))
    corrected = correct(alone, "bh")
    assert corrected["0"].label == "FRAGILE"
    assert corrected["1"].label == "INCONCLUSIVE"
    assert corrected["1"].needed == 149 - 100


def test_what_cannot_be_corrected_together_is_refused():
    one, other = classify(X, GOOD, GOOD), classify(X, GOOD, GOOD, delta=0.03)
    with pytest.raises(InputError, match="b was judged with margins"):
        correct({"a": one, "b": other})
    with pytest.raises(InputError, match="already corrected"):
        correct(correct({"a": one}))
    with pytest.raises(InputError, match="no verdicts"):
        correct({})
    with pytest.raises(InputError, match="'holm'"):
        correct({"a": one}, "bonferroni")


# Dominance ------------------------------------------------------------------------------------------------------------


def test_a_buffer_dominates_although_its_label_is_worse():
    luck = np.random.default_rng(3).normal(0, 0.05, (200, 1)) * (U > 0)
    bare = -0.3 * U + luck + study(CALM, sd=0.005)
    buffered = -0.3 * np.maximum(0, U - 0.3) + luck + study(CALM, sd=0.005, seed=2)
    labels = [classify(X, d, study(CALM, sd=0.01)).label for d in (bare, buffered)]
    assert labels == ["RESILIENT", "FRAGILE"]
    found = dominance(X, buffered, bare)
    assert found.relation == "A dominates"
    assert dominance(X, bare, buffered).relation == "B dominates"
    assert found.difference[0] == 0
    t = stats.ttest_rel(buffered[:, 4], bare[:, 4]).confidence_interval(0.95)
    assert (found.low[4], found.high[4]) == pytest.approx((t.low, t.high))
    assert "A dominates (n = 200; " in str(found)


def test_other_relations():
    line, curve = -0.1 * U, -0.1 * U - 0.1 * U * (U - 0.5)
    assert dominance(X, study(line), study(curve, seed=5)).relation == "they cross"
    assert dominance(X, GOOD, GOOD).relation == "equal"
    assert dominance(X, study(CALM, 20), study(CALM, 20, seed=9)).relation == "undecided"
    slightly = dominance(X, study(CALM, 400), study(-0.03 * U * (U > 0.5), 400, seed=9), tolerance=0.02)
    assert slightly.relation == "A dominates"
    with pytest.raises(InputError, match="pairs of equal seeds"):
        dominance(X, GOOD, GOOD[:50])
    with pytest.raises(InputError, match="alpha 0"):
        dominance(X, GOOD, GOOD, alpha=0)


# The error rates ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def errors():
    spec = importlib.util.spec_from_file_location("verdict_errors", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["verdict_errors"] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    yield module
    del sys.modules["verdict_errors"]


def test_truths_have_the_label_of_the_rule_without_noise(errors):
    found = errors.truths()
    assert len(found) == 22
    for truth in found:
        exact = classify(X, steady(truth.mean), steady(truth.e)).label if truth.ruin == 0 else truth.label()
        assert exact == truth.label() or truth.label() == "boundary", truth.name
    assert [truth.label() for truth in found].count("boundary") == 7


def test_noise_has_the_spread_and_correlation_asked_for(errors):
    rng = np.random.default_rng(0)
    d, e = errors.gaussian()(rng, 20_000)
    assert d[:, 1:].std(axis=0) == pytest.approx(0.05 * np.sqrt(0.4), rel=0.03)
    assert (d[:, 0] == 0).all()
    assert np.corrcoef(d[:, 1], d[:, 2])[0, 1] == pytest.approx(0.5, abs=0.03)  # the twin is in both
    assert abs(np.corrcoef(d[:, 1], e[:, 1])[0, 1]) < 0.03
    again, _ = errors.resampled(d + 1, e)(rng, 5000)
    assert again.mean() == pytest.approx(0, abs=1e-3)
    assert again[:, 5].std() == pytest.approx(0.0316, rel=0.06)


def test_clear_truths_are_told_and_nothing_false_is_said(errors):
    found = errors.rates(errors.gaussian(), 8, 200)
    clear = found[found["is"] != "boundary"]
    hits = np.mean([row[row["is"]] for _, row in clear.iterrows()])
    assert hits > 0.9
    assert errors.worst(found).iloc[0, 1:].max() == 0
    assert "| loss 0.3 x² | FRAGILE | 200 | 100 % |" in errors.told(found)


def test_a_wrong_claim_is_seen_as_one(errors):
    truth = errors.truths()[0]
    wrong = classify(X, study(SHAPES["ANTIFRAGILE"]), study(CALM, seed=1))
    assert truth.wrong(wrong) == {
        "false FRAGILE": False, "false non-fragile": True, "false ROBUST": False, "false ANTIFRAGILE": True,
    }  # fmt: skip


def test_measured_parts_go_between_their_marks(errors, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- measured: x -->\nold\n<!-- end: x -->\nb\n")
    errors.fill(page, {"x": "new \\1"})
    assert page.read_text() == "a\n<!-- measured: x -->\n\nnew \\1\n\n<!-- end: x -->\nb\n"


def test_noise_of_the_engine_is_told_as_it_is(tmp_path):
    script = SCRIPT.with_name("engine_noise.py")
    subprocess.run(
        [sys.executable, script, "--quick", "--keep", tmp_path], check=True, capture_output=True, text=True, timeout=600
    )
    found = Responses.load(tmp_path / "default_world_60_firms.parquet")
    run, twin = found.outcomes["output"][:, -1], found.outcomes["output"][:, 0]
    apart = np.var(run, ddof=1) + np.var(twin, ddof=1)
    assert found.replicates == 6
    assert found.variance_ratio[-1] == pytest.approx(apart / np.var(run - twin, ddof=1))
    assert found.twin_correlation[-1] == pytest.approx(np.corrcoef(run, twin)[0, 1])
    assert np.std(twin) > 0  # or nothing was tried
