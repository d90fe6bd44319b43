"""Futures: values of what is uncertain, a kind of trouble, and luck of their own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ecosim.config.written import mapping
from ecosim.study.design import LatinHypercube
from ecosim.study.policy.spec import applies

if TYPE_CHECKING:
    from ecosim.study.policy.spec import PolicySpec

type Purpose = Literal["training", "held_out", "sealed"]
ABOUT = ("future", "type", "seed")


@dataclass(frozen=True)
class Future:
    """One future: its kind of trouble, its seed, what it changes in the base, and its shocks as a scenario lists them.

    ``shown`` are the values of all that is uncertain in it, by path.
    """

    type: str
    seed: int
    changes: dict[str, Any]
    shocks: list[dict[str, Any]]
    labels: tuple[Any, ...]
    """The shocks, of which packages ask the names."""
    shown: dict[str, Any]


def draw(spec: PolicySpec, purpose: Purpose) -> list[Future]:
    """Futures of every kind of trouble, kind by kind.

    Each kind has a Latin hypercube of its own, and each future a seed of its own, so that futures are independent draws
    but for what the hypercube evens out. They depend on the study's seed, on what they are for, and on the kind's name.
    """
    kinds = spec.sealed if purpose == "sealed" else spec.shocks
    count = spec.futures if purpose == "training" else spec.tested
    return [future for kind in kinds for future in _of_kind(spec, purpose, kind, count)]


def _of_kind(spec: PolicySpec, purpose: Purpose, kind: str, count: int) -> list[Future]:
    shocks = (spec.sealed if purpose == "sealed" else spec.shocks)[kind]
    start = np.random.SeedSequence([spec.seed, *hashlib.sha256(f"{purpose}\0{kind}".encode()).digest()[:8]])
    numbers = start.generate_state(count + 1, np.uint32).tolist()
    paths = [path for path in spec.uncertainties if not path.startswith("shocks.") or applies(path, shocks)]
    factors = [spec.uncertainties[path] for path in paths]
    whole = [spec.whole[path] for path in paths]
    codes = LatinHypercube(points=count, seed=int(numbers[-1])).codes(factors, whole) if paths else np.empty((count, 0))
    plain = spec.base.with_({"shocks": list(shocks)})
    usual = mapping(plain)["shocks"]
    found = []
    for row, seed in zip(codes.tolist(), numbers[:-1], strict=True):
        values = {
            path: factor.value(code, whole=is_whole)
            for path, factor, code, is_whole in zip(paths, factors, row, whole, strict=True)
        }
        inside = {path: value for path, value in values.items() if path.startswith("shocks.")}
        found.append(
            Future(
                type=kind,
                seed=int(seed),
                changes={path: value for path, value in values.items() if path not in inside},
                shocks=mapping(plain.with_(inside))["shocks"] if inside else usual,
                labels=tuple(shocks),
                shown=values,
            )
        )
    return found


def table(futures: list[Future]) -> pd.DataFrame:
    """A row a future: its number, kind, seed, and the values of what is uncertain (empty where it has none)."""
    rows = [
        dict(zip(ABOUT, (at, future.type, future.seed), strict=True)) | future.shown
        for at, future in enumerate(futures)
    ]
    return pd.DataFrame(rows)
