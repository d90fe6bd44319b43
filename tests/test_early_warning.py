"""Early warning: indicators against plain references, and alarms that come when they should and not otherwise."""

import numpy as np
import pytest
from scipy import stats

from ecosim.errors import InputError
from ecosim.resilience import early_warning
from ecosim.resilience.warning import indicators, kendall, memory


def autoregressive(phi, seed, days=300):
    """A series whose coefficient of memory on each day is ``phi``, one number or (days,)."""
    noise = np.random.default_rng(seed).normal(size=days)
    values = np.zeros(days)
    for day, of in enumerate(np.broadcast_to(phi, days)):
        values[day] = of * values[day - 1] * (day > 0) + noise[day]
    return values


def test_indicators_equal_each_window_by_itself():
    values = autoregressive(0.6, 0, 80)
    variance, correlation = indicators(values[None, :], 30)
    windows = [values[start : start + 30] for start in range(51)]
    assert variance[0] == pytest.approx([window.var() for window in windows])
    assert correlation[0] == pytest.approx([np.corrcoef(window[1:], window[:-1])[0, 1] for window in windows])
    stepped, _ = indicators(values[None, :], 30, step=7)
    assert stepped[0].tolist() == variance[0][::7].tolist()


def test_kendall_equals_scipy():
    values = np.random.default_rng(1).normal(size=(5, 40))
    assert kendall(values) == pytest.approx([stats.kendalltau(np.arange(40), row).statistic for row in values])
    assert kendall(np.arange(9.0)[None, :])[0] == 1


def test_memory_is_corrected_for_short_series():
    series = [autoregressive(0.5, seed, 60) for seed in range(300)]
    found = [memory(values - values.mean()) for values in series]
    assert np.mean(found) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("detrend", [None, "gaussian"])
def test_stationary_series_rarely_alarm_where_naive_tests_often_do(detrend):
    alarms, naive = 0, 0
    for seed in range(25):
        found = early_warning(autoregressive(0.5, seed, 200), detrend=detrend, surrogates=99, seed=seed)
        alarms += found.p <= 0.05
        naive += stats.kendalltau(np.arange(len(found.variance)), found.variance, alternative="greater").pvalue <= 0.05
    assert alarms <= 3
    assert naive >= 6


def test_growing_memory_alarms():
    alarms = [
        early_warning(autoregressive(np.linspace(0.2, 0.97, 500), seed, 500), surrogates=99, seed=seed).p <= 0.05
        for seed in range(20)
    ]
    assert np.mean(alarms) >= 0.7


def test_growing_variance_alone_is_no_alarm():
    series = np.random.default_rng(3).normal(size=300) * np.linspace(1, 4, 300)
    found = early_warning(series, detrend=None, surrogates=199)
    assert found.p_variance <= 0.05 < found.p_autocorrelation
    assert found.p == found.p_autocorrelation


def test_the_same_seed_gives_the_same_numbers():
    series = autoregressive(0.5, 1)
    one, other = (early_warning(series, surrogates=99, seed=4) for _ in range(2))
    assert (one.p_variance, one.p_autocorrelation) == (other.p_variance, other.p_autocorrelation)
    assert early_warning(series, surrogates=99, seed=5).p_variance != one.p_variance
    scaled = early_warning(1e6 + 50 * series, surrogates=99, seed=4)
    assert scaled.tau_variance == pytest.approx(one.tau_variance)
    assert one.day[-1] == 299
    assert len(one.day) == len(one.variance) == len(one.autocorrelation) == 151
    assert "against 99 AR(1) surrogates with phi = " in str(one)


@pytest.mark.parametrize(
    ("series", "extra", "text"),
    [
        (np.ones(30), {}, "at least 40 days"),
        (np.ones((2, 100)), {}, "one number a day"),
        (np.full(100, np.nan), {}, "NaN"),
        (np.ones(100), {}, "constant"),
        (np.arange(100.0), {"detrend": "linear"}, "constant but for its trend"),
        (autoregressive(0, 0, 100), {"window": 0.95}, "window is 0.95"),
        (autoregressive(0, 0, 100), {"surrogates": 5}, "surrogates is 5"),
        (autoregressive(0, 0, 100), {"detrend": "loess"}, "detrend is 'loess'"),
    ],
)
def test_bad_series_are_refused(series, extra, text):
    with pytest.raises(InputError, match=text):
        early_warning(series, **extra)
