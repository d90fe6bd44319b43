"""Addressed randomness: known answers, a numpy twin, independence of what else is drawn, right distributions."""

import os
import pickle
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtri

from ecosim.kernels import philox
from ecosim.rng import Stream, Streams

WORDS = st.integers(0, 2**32 - 1)
ROWS = st.lists(WORDS, min_size=1, max_size=40)
SEEDS = st.integers(0, 2**80)
STREAMS = st.builds(Stream, SEEDS, WORDS, st.text(max_size=20))

PINNED_KEY = [2451210263, 2791976698]
PINNED_UNIFORM = [0.24177183798799295, 0.9231937888501878, 0.47603577763549054]
PINNED_INTEGERS = [914, 928, 226]
PINNED_RAW = [5049786139498266432, 17345952188323799318]


def twin(counter, key):
    """Philox4x32-10 in plain numpy: words (4, n) at counters (4, n) under a key of two words."""
    mask, half = np.uint64(2**32 - 1), np.uint64(32)
    c = [np.asarray(word, np.uint64) for word in counter]
    k = [np.uint64(word) for word in key]
    for _ in range(10):
        left, right = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(right >> half) ^ c[1] ^ k[0], right & mask, (left >> half) ^ c[3] ^ k[1], left & mask]
        k = [(k[0] + np.uint64(0x9E3779B9)) & mask, (k[1] + np.uint64(0xBB67AE85)) & mask]
    return np.array(c)


def twin_bits(stream, day, rows, draw, kind):
    rows = np.asarray(rows, np.uint64)
    fill = [np.full(rows.shape, word, np.uint64) for word in (day, draw, kind)]
    words = twin([rows, *fill], stream.key)
    return words[1] << np.uint64(32) | words[0]


class KnownAnswer(NamedTuple):
    counter: str
    key: str
    words: str


KNOWN_ANSWERS = [
    KnownAnswer("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    KnownAnswer("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    KnownAnswer("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def unhex(text):
    return np.array([int(word, 16) for word in text.split()], np.uint64)


@pytest.mark.parametrize("answer", KNOWN_ANSWERS)
def test_the_generator_gives_the_known_answers_of_random123(answer):
    out = np.empty(4, np.uint64)
    philox.words(unhex(answer.counter), unhex(answer.key), out)
    np.testing.assert_array_equal(out, unhex(answer.words))
    np.testing.assert_array_equal(twin(unhex(answer.counter), unhex(answer.key)), unhex(answer.words))


@given(STREAMS, WORDS, ROWS, WORDS)
def test_uniforms_equal_the_numpy_twin_to_the_bit(stream, day, rows, draw):
    expected = (twin_bits(stream, day, rows, draw, 0) >> np.uint64(11)) * 2.0**-53
    np.testing.assert_array_equal(stream.uniform(day, rows, draw), expected)


@given(STREAMS, WORDS, ROWS, WORDS)
def test_normals_equal_the_numpy_twin(stream, day, rows, draw):
    cell = (twin_bits(stream, day, rows, draw, 1) >> np.uint64(12)).astype(float)
    np.testing.assert_allclose(stream.normal(day, rows, draw), ndtri((cell + 0.5) * 2.0**-52), rtol=1e-13, atol=1e-15)


@given(STREAMS, WORDS, ROWS, WORDS, st.integers(1, 2**32 - 1))
def test_integers_equal_the_numpy_twin(stream, day, rows, draw, high):
    expected = [int(bits) * high >> 64 for bits in twin_bits(stream, day, rows, draw, 2)]
    np.testing.assert_array_equal(stream.integers(high, day, rows, draw), expected)


def test_numbers_stay_what_they_were_when_this_test_was_written():
    stream = Streams(seed=2026, replicate=3)["outage:flood"]
    assert stream.key.tolist() == PINNED_KEY
    assert stream.uniform(day=10, rows=[0, 1, 4_000_000_000]).tolist() == PINNED_UNIFORM
    assert stream.integers(1000, day=10, rows=[0, 1, 2]).tolist() == PINNED_INTEGERS
    assert stream.generator().bit_generator.random_raw(2).tolist() == PINNED_RAW


@given(STREAMS, WORDS, ROWS, st.data())
def test_a_row_gets_the_same_number_whichever_rows_are_asked_and_in_whatever_order(stream, day, rows, data):
    rows = np.array(rows)
    picked = np.array(data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=60)), np.int64)
    for draw in (stream.uniform, stream.normal, lambda day, rows: stream.integers(1000, day, rows)):
        np.testing.assert_array_equal(draw(day, rows)[picked], draw(day, rows[picked]))
        np.testing.assert_array_equal(draw(day, rows)[0], draw(day, rows[0]))


def test_a_row_keeps_its_number_when_the_economy_grows():
    stream = Stream(1, 0, "demand")
    np.testing.assert_array_equal(stream.uniform(4, np.arange(100)), stream.uniform(4, np.arange(100_000))[:100])


def test_each_part_of_the_address_changes_every_number():
    rows = np.arange(2000)
    draws = {
        "here": Stream(5, 1, "a").uniform(3, rows),
        "another seed": Stream(6, 1, "a").uniform(3, rows),
        "a long seed": Stream(5 + 2**64, 1, "a").uniform(3, rows),
        "another replicate": Stream(5, 2, "a").uniform(3, rows),
        "seed and replicate exchanged": Stream(1, 5, "a").uniform(3, rows),
        "digits moved from replicate to seed": Stream(51, 1, "a").uniform(3, rows),
        "another purpose": Stream(5, 1, "b").uniform(3, rows),
        "no purpose": Stream(5, 1, "").uniform(3, rows),
        "another day": Stream(5, 1, "a").uniform(4, rows),
        "another draw": Stream(5, 1, "a").uniform(3, rows, draw=1),
        "other rows": Stream(5, 1, "a").uniform(3, rows + 2000),
        "another kind": stats.norm.cdf(Stream(5, 1, "a").normal(3, rows)),
    }
    pooled = np.concatenate(list(draws.values()))
    assert len(np.unique(pooled)) == len(pooled)
    correlation = np.corrcoef(list(draws.values())) - np.eye(len(draws))
    assert np.abs(correlation).max() < 4.5 / np.sqrt(len(rows))


@given(SEEDS, WORDS, st.text(max_size=10), st.text(max_size=10))
def test_purposes_are_told_apart_by_their_whole_name(seed, replicate, one, other):
    keys = [Stream(seed, replicate, purpose).key.tolist() for purpose in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)


@pytest.mark.parametrize("along", ["rows", "days", "replicates", "purposes", "draws"])
def test_uniforms_are_uniform_along_every_part_of_the_address(along):
    n = 5000
    values = {
        "rows": lambda: Stream(11, 0, "u").uniform(0, np.arange(n)),
        "days": lambda: [Stream(11, 0, "u").uniform(day, 0) for day in range(n)],
        "replicates": lambda: [Stream(11, replicate, "u").uniform(0, 0) for replicate in range(n)],
        "purposes": lambda: [Stream(11, 0, f"u{i}").uniform(0, 0) for i in range(n)],
        "draws": lambda: [Stream(11, 0, "u").uniform(0, 0, draw) for draw in range(n)],
    }[along]()
    u = np.array(values)
    assert u.min() >= 0.0
    assert u.max() < 1.0
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 4.5 / np.sqrt(n)


def test_normals_are_standard_normal_in_the_middle_and_in_the_tails():
    z = Stream(11, 0, "z").normal(0, np.arange(1_000_000))
    assert stats.kstest(z, "norm").pvalue > 1e-3
    for quantile in (-4.0, -3.0, 3.0, 4.0):
        expected = len(z) * stats.norm.sf(abs(quantile))
        found = np.count_nonzero(z > quantile if quantile > 0 else z < quantile)
        assert abs(found - expected) < 4.5 * np.sqrt(expected)


def test_the_normal_quantile_is_accurate_into_the_far_tail():
    tail = 2.0 ** -np.linspace(1.0, 53.0, 2001)[1:]
    near = np.linspace(0.001, 0.999, 998)  # an even number, so that none falls on the zero at one half
    for u in (tail, near):
        found = [philox.normal_quantile(x) for x in u]
        np.testing.assert_allclose(found, ndtri(u), rtol=4e-15)
    assert philox.normal_quantile(0.5) == 0.0


@pytest.mark.parametrize("high", [1, 2, 7, 1000, 2**32 - 1])
def test_integers_are_uniform_below_high(high):
    drawn = Stream(11, 0, "i").integers(high, 0, np.arange(70_000))
    assert drawn.dtype == np.int64
    assert drawn.min() >= 0
    assert drawn.max() < high
    cells = min(high, 1000)
    counts = np.bincount(drawn * cells // high, minlength=cells)
    if high > 1:
        assert stats.chisquare(counts).pvalue > 1e-3


def test_each_row_may_have_its_own_high():
    high = np.array([1, 10, 2**32 - 1, 3])
    drawn = Stream(1, 0, "i").integers(high, 5, [9, 8, 7, 6])
    alone = [Stream(1, 0, "i").integers(int(h), 5, row).item() for h, row in zip(high, [9, 8, 7, 6], strict=True)]
    assert drawn.tolist() == alone


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint32, np.uint64])
def test_rows_may_have_any_integer_type_layout_and_shape(dtype):
    stream = Stream(1, 0, "a")
    rows = np.arange(120).astype(dtype)
    expected = stream.uniform(0, np.arange(120))
    np.testing.assert_array_equal(stream.uniform(0, rows), expected)
    np.testing.assert_array_equal(stream.uniform(0, rows[::-3]), expected[::-3])
    np.testing.assert_array_equal(stream.uniform(0, rows.reshape(8, 15).T), expected.reshape(8, 15).T)
    rows.flags.writeable = False
    np.testing.assert_array_equal(stream.uniform(0, rows), expected)


def test_no_rows_give_no_numbers():
    stream = Stream(1, 0, "a")
    assert stream.uniform(0, []).shape == stream.normal(0, []).shape == stream.integers(5, 0, []).shape == (0,)


def test_streams_are_values():
    stream = Stream(7, 2, "outage:flood")
    same = Stream(np.int64(7), np.uint8(2), "outage:flood")
    assert stream == same == Streams(7, 2)["outage:flood"] == pickle.loads(pickle.dumps(stream))
    assert len({stream, same, Stream(7, 2, "outage")}) == 2
    assert repr(stream) == repr(same) == "Stream(seed=7, replicate=2, purpose='outage:flood')"
    assert pickle.loads(pickle.dumps(Streams(7, 2))) == Streams(7, 2)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(stream)).uniform(1, [2, 3]), stream.uniform(1, [2, 3]))
    with pytest.raises(AttributeError):
        stream.seed = 8
    with pytest.raises(ValueError, match="read-only"):
        stream.key[0] = 0


def test_generators_start_afresh_and_differ_by_address():
    addresses = [(7, 2, "wire"), (8, 2, "wire"), (7, 3, "wire"), (2, 7, "wire"), (7, 2, "place")]
    drawn = [Stream(*address).generator().random(8).tolist() for address in addresses]
    assert drawn[0] == Stream(*addresses[0]).generator().random(8).tolist()
    assert len({tuple(numbers) for numbers in drawn}) == len(addresses)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Stream(-1, 0, "a"), ValueError),
        (lambda: Stream(0, -1, "a"), ValueError),
        (lambda: Stream(0, 2**32, "a"), ValueError),
        (lambda: Stream(0.5, 0, "a"), TypeError),
        (lambda: Stream(0, 0, 3), TypeError),
        (lambda: Streams(0)[3], TypeError),
        (lambda: Streams(-1), ValueError),
        (lambda: Stream(0, 0, "a").uniform(-1, [0]), ValueError),
        (lambda: Stream(0, 0, "a").uniform(2**32, [0]), ValueError),
        (lambda: Stream(0, 0, "a").uniform(1.0, [0]), TypeError),
        (lambda: Stream(0, 0, "a").normal(0, [0, -1]), ValueError),
        (lambda: Stream(0, 0, "a").normal(0, [2**32]), ValueError),
        (lambda: Stream(0, 0, "a").normal(0, np.array([2**63], np.uint64)), ValueError),
        (lambda: Stream(0, 0, "a").normal(0, [0.0]), TypeError),
        (lambda: Stream(0, 0, "a").normal(0, [True]), TypeError),
        (lambda: Stream(0, 0, "a").normal(0, [0], draw=-1), ValueError),
        (lambda: Stream(0, 0, "a").integers(0, 0, [0]), ValueError),
        (lambda: Stream(0, 0, "a").integers([5, 2**32], 0, [0, 1]), ValueError),
        (lambda: Stream(0, 0, "a").integers(2.5, 0, [0]), TypeError),
        (lambda: Stream(0, 0, "a").integers([1, 2, 3], 0, [0, 1]), ValueError),
    ],
)
def test_what_is_no_address_is_refused(make, error):
    with pytest.raises(error):
        make()


def test_importing_it_loads_no_compiler():
    heavy = "import ecosim.rng, sys; print([m for m in ('numba', 'scipy', 'pandas', 'mesa') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_another_process_draws_the_same_numbers():
    draw = "from ecosim.rng import Stream; print(Stream(7, 1, 'x').uniform(3, [1, 2, 9]).tolist())"
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    done = subprocess.run([sys.executable, "-c", draw], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == f"{Stream(7, 1, 'x').uniform(3, [1, 2, 9]).tolist()}\n"
