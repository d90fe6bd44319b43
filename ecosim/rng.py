"""Addressed randomness: a draw is a function of (seed, replicate, purpose, day, row), never of what was drawn before.

A shared sequence falls out of step as soon as a shock or a policy changes how many numbers are drawn, and then a run
and its undisturbed twin differ by luck as well as by cause. Here each purpose has its own key, and each day and row
its own counter under that key, so that adding something to a scenario leaves every other draw as it was, to the bit.

>>> streams = Streams(seed=7, replicate=0)
>>> streams["outage:flood"].uniform(day=3, rows=[5, 2]).tolist() == [
...     streams["outage:flood"].uniform(day=3, rows=row).item() for row in (5, 2)
... ]
True
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from operator import index
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LIMIT = 2**32  # replicates, days, rows and draws are 32-bit words of the counter or the key


@dataclass(frozen=True, slots=True)
class Stream:
    """The random numbers of one purpose in one replicate of one seed.

    Equal streams give equal numbers, in any process and after pickling. `seed` is any non-negative integer,
    `replicate` one below 2**32. `purpose` names what the numbers decide ("outage:flood", "demand"); two uses that must
    be independent need two names.

    Raises TypeError where seed or replicate is not an integer or purpose not a string, ValueError where one is out of
    range.
    """

    seed: int
    replicate: int
    purpose: str
    key: NDArray[np.uint64] = field(init=False, repr=False, compare=False)
    """The 64-bit Philox key, as two 32-bit words, shape (2,); it follows from the three above."""

    def __post_init__(self) -> None:
        # Numpy's integers become Python's, so that equal streams also look, hash and pickle the same.
        object.__setattr__(self, "seed", _natural("seed", self.seed, None))
        object.__setattr__(self, "replicate", _natural("replicate", self.replicate, LIMIT))
        if not isinstance(self.purpose, str):
            raise TypeError(f"purpose must be a string, not {type(self.purpose).__name__}")
        object.__setattr__(self, "key", _hash_words(f"{self.seed}\0{self.replicate}\0{self.purpose}", 2))

    def uniform(self, day: int, rows: ArrayLike, draw: int = 0) -> NDArray[np.float64]:
        """Doubles in [0, 1) with 53 random bits, in the shape of `rows`.

        `rows` are integers from 0 below 2**32 (an agent's or a link's row); the number of a row does not depend on
        which others are asked for, nor on their order. `draw` tells apart several draws at one address.
        Raises TypeError where `rows` are not integers, ValueError where one is out of range.
        """
        from ecosim.kernels import philox

        at = _rows(rows)
        out = np.empty(at.shape)
        philox.uniform(self.key, _natural("day", day), _natural("draw", draw), at.reshape(-1), out.reshape(-1))
        return out

    def normal(self, day: int, rows: ArrayLike, draw: int = 0) -> NDArray[np.float64]:
        """Standard normals in the shape of `rows`; arguments and errors as for `uniform`, and independent of it."""
        from ecosim.kernels import philox

        at = _rows(rows)
        out = np.empty(at.shape)
        philox.normal(self.key, _natural("day", day), _natural("draw", draw), at.reshape(-1), out.reshape(-1))
        return out

    def integers(self, high: ArrayLike, day: int, rows: ArrayLike, draw: int = 0) -> NDArray[np.int64]:
        """Integers in [0, high) in the shape of `rows`; `high`, 1 to 2**32 - 1, is one number or one for each row.

        Other arguments and errors as for `uniform`, and independent of it.
        """
        from ecosim.kernels import philox

        at = _rows(rows)
        below = np.ascontiguousarray(np.broadcast_to(_integers("high", high), at.shape))
        if below.size and not (below.min() >= 1 and below.max() < LIMIT):
            raise ValueError("high must be from 1 to 2**32 - 1")
        out = np.empty(at.shape, np.int64)
        where = _natural("day", day), _natural("draw", draw), at.reshape(-1)
        philox.integers(self.key, *where, below.reshape(-1), out.reshape(-1))
        return out

    def generator(self) -> np.random.Generator:
        """A fresh numpy Generator for bulk work before a run, such as building a network; the same one every time.

        Its numbers are consumed in order, so keep it to one purpose. numpy may change the numbers of a distribution
        between versions; the raw bits stay.
        """
        spawn_key = (self.replicate, *_hash_words(self.purpose, 4).tolist())
        sequence = np.random.SeedSequence(entropy=self.seed, spawn_key=spawn_key)
        return np.random.Generator(np.random.Philox(sequence))


@dataclass(frozen=True, slots=True)
class Streams:
    """All streams of one replicate of one seed: `streams["outage:flood"]` is the Stream of that purpose."""

    seed: int
    replicate: int = 0

    def __post_init__(self) -> None:
        _natural("seed", self.seed, None)
        _natural("replicate", self.replicate)

    def __getitem__(self, purpose: str) -> Stream:
        return Stream(self.seed, self.replicate, purpose)


def _hash_words(text: str, count: int) -> NDArray[np.uint64]:
    """A stable hash of `text` as `count` 32-bit words, shape (count,); Python's own hash changes with each process."""
    digest = blake2b(text.encode(), digest_size=4 * count, person=b"ecosim.rng").digest()
    words = np.frombuffer(digest, "<u4").astype(np.uint64)
    words.flags.writeable = False
    return words


def _natural(name: str, value: int, limit: int | None = LIMIT) -> int:
    number = index(value)
    if number < 0 or (limit is not None and number >= limit):
        raise ValueError(f"{name} must be 0 or more{' and below 2**32' if limit else ''}, not {number}")
    return number


def _integers(name: str, values: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.size == 0 and array.dtype.kind == "f":  # an empty list has no type of its own
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, not {array.dtype}")
    return np.ascontiguousarray(array, np.int64).reshape(array.shape)


def _rows(rows: ArrayLike) -> NDArray[np.int64]:
    array = _integers("rows", rows)
    if array.size and array.view(np.uint64).max() >= LIMIT:  # a negative one is vast without its sign
        raise ValueError("rows must be 0 or more and below 2**32")
    return array
