"""Philox4x32-10: random numbers as a function of an address instead of a place in a sequence.

Source: Salmon, Moraes, Dror, Shaw (2011), Parallel random numbers: as easy as 1, 2, 3. SC'11. A bijection of 128-bit
counters, chosen by a 64-bit key; checked in the tests against the known answers of the authors' Random123.

The counter here is (row, day, draw, kind). `kind` keeps uniforms, normals and integers at one address independent.
All arithmetic is in uint64 that hold 32-bit words: numba would widen uint32 anyway, and mixing in a signed integer
would turn it into a float.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUNDS = 10
MULTIPLIER_0 = np.uint64(0xD2511F53)
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint64(0x9E3779B9)  # golden ratio
WEYL_1 = np.uint64(0xBB67AE85)  # square root of 3, less one
WORD = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)

UNIFORM, NORMAL, INTEGER = np.uint64(0), np.uint64(1), np.uint64(2)

DROP_TO_53 = np.uint64(11)
DROP_TO_52 = np.uint64(12)
STEP_53 = 2.0**-53
STEP_52 = 2.0**-52


@njit(cache=True, inline="always")
def philox4x32(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """The four words at counter (c0, c1, c2, c3) under key (k0, k1); every argument below 2**32."""
    for _ in range(ROUNDS):
        p0 = MULTIPLIER_0 * c0
        p1 = MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & WORD, (p0 >> HALF) ^ c3 ^ k1, p0 & WORD
        k0 = (k0 + WEYL_0) & WORD
        k1 = (k1 + WEYL_1) & WORD
    return c0, c1, c2, c3


@njit(cache=True, inline="always")
def bits64(k0: np.uint64, k1: np.uint64, row: np.uint64, day: np.uint64, draw: np.uint64, kind: np.uint64) -> np.uint64:
    """64 random bits at one address; every argument below 2**32."""
    low, high, _, _ = philox4x32(row, day, draw, kind, k0, k1)
    return (high << HALF) | low


@njit(cache=True, inline="always")
def normal_quantile(u: float) -> float:
    """The standard normal's quantile at 0 < u < 1, to about 1e-15 relative.

    Source: Wichura (1988), Algorithm AS 241 (PPND16), Applied Statistics 37, 477-484. By the quantile a normal takes
    one uniform and rises with it, and six draws in seven need no logarithm.
    """
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        above = (
            ((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r
            + 45921.953931549871457) * r + 13731.693765509461125) * r + 1971.5909503065514427) * r
            + 133.14166789178437745) * r + 3.387132872796366608
        )  # fmt: skip
        below = (
            ((((((5226.495278852854561 * r + 28729.085735721942674) * r + 39307.89580009271061) * r
            + 21213.794301586595867) * r + 5394.1960214247511077) * r + 687.1870074920579083) * r
            + 42.313330701600911252) * r + 1.0
        )  # fmt: skip
        return q * above / below
    r = math.sqrt(-math.log(min(u, 1.0 - u)))
    if r <= 5.0:
        r -= 1.6
        above = (
            ((((((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r
            + 1.27045825245236838258) * r + 3.64784832476320460504) * r + 5.7694972214606914055) * r
            + 4.6303378461565452959) * r + 1.42343711074968357734
        )  # fmt: skip
        below = (
            ((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r
            + 0.14810397642748007459) * r + 0.68976733498510000455) * r + 1.6763848301838038494) * r
            + 2.05319162663775882187) * r + 1.0
        )  # fmt: skip
    else:
        r -= 5.0
        above = (
            ((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r
            + 0.026532189526576123093) * r + 0.29656057182850489123) * r + 1.7848265399172913358) * r
            + 5.4637849111641143699) * r + 6.6579046435011037772
        )  # fmt: skip
        below = (
            ((((((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r
            + 7.868691311456132591e-4) * r + 0.0148753612908506148525) * r + 0.13692988092273580531) * r
            + 0.59983220655588793769) * r + 1.0
        )  # fmt: skip
    return above / below if q > 0.0 else -above / below


@njit(cache=True)
def words(counter: NDArray[np.uint64], key: NDArray[np.uint64], out: NDArray[np.uint64]) -> None:
    """Write to `out` (4,) the bare generator's words at `counter` (4,) under `key` (2,): for the known answers."""
    out[0], out[1], out[2], out[3] = philox4x32(counter[0], counter[1], counter[2], counter[3], key[0], key[1])


@njit(cache=True)
def uniform(key: NDArray[np.uint64], day: int, draw: int, rows: NDArray[np.int64], out: NDArray[np.float64]) -> None:
    """Write to `out` (n,) a double in [0, 1), of 53 bits, for each of `rows` (n,); `key` is two 32-bit words."""
    k0, k1, day_, draw_ = key[0], key[1], np.uint64(day), np.uint64(draw)
    for i in range(len(rows)):
        bits = bits64(k0, k1, np.uint64(rows[i]), day_, draw_, UNIFORM)
        out[i] = np.float64(bits >> DROP_TO_53) * STEP_53


@njit(cache=True)
def normal(key: NDArray[np.uint64], day: int, draw: int, rows: NDArray[np.int64], out: NDArray[np.float64]) -> None:
    """Write to `out` (n,) a standard normal for each of `rows` (n,)."""
    k0, k1, day_, draw_ = key[0], key[1], np.uint64(day), np.uint64(draw)
    for i in range(len(rows)):
        bits = bits64(k0, k1, np.uint64(rows[i]), day_, draw_, NORMAL)
        # The middles of 2**52 equal cells: exact in a double, symmetric about one half, never 0 or 1.
        out[i] = (np.float64(bits >> DROP_TO_52) + 0.5) * STEP_52
    for i in range(len(rows)):  # apart from the branches below, the loop above runs several rows at once
        out[i] = normal_quantile(out[i])


@njit(cache=True)
def integers(
    key: NDArray[np.uint64],
    day: int,
    draw: int,
    rows: NDArray[np.int64],
    high: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """Write to `out` (n,) an integer in [0, high) for each of `rows` (n,); `high` (n,) is from 1 to 2**32 - 1.

    The upper word of 64 bits times `high`, without rejection, so that every draw costs one block: a value's
    probability is off by less than 2**-32 of itself.
    """
    k0, k1, day_, draw_ = key[0], key[1], np.uint64(day), np.uint64(draw)
    for i in range(len(rows)):
        bits = bits64(k0, k1, np.uint64(rows[i]), day_, draw_, INTEGER)
        below = np.uint64(high[i])
        out[i] = np.int64(((bits >> HALF) * below + (((bits & WORD) * below) >> HALF)) >> HALF)
