"""Small things that the tables of a lineage are made with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

Array = np.ndarray[Any, np.dtype[Any]]


def joined(parts: list[Array], kind: np.dtype[Any]) -> Array:
    """One array of records of a kind from any number of parts."""
    return np.concatenate(parts) if parts else np.empty(0, dtype=kind)


def named(codes: Any, names: Any) -> pd.Categorical:
    """Names by their numbers; -1 for none."""
    index = names if isinstance(names, pd.Index) else pd.Index(list(names), dtype="str")
    return pd.Categorical.from_codes(np.asarray(codes, dtype=np.int64), categories=index)


def rows(frame: pd.DataFrame) -> Iterator[Any]:
    """Rows of a frame as named tuples."""
    return iter(frame.itertuples())
