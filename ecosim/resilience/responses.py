"""Responses of one scenario to its shock at every intensity: what a verdict, a comparison and an atlas are made of."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ecosim.errors import InputError
from ecosim.folders import NewFile
from ecosim.resilience.curves import grid
from ecosim.resilience.rule import classify

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    import pandas as pd
    from numpy.typing import NDArray

    from ecosim.resilience.verdicts import Verdict

    type Array = NDArray[np.float64]

OUTCOMES = {
    "depth": "largest drop below the twin on any day, share of its output",
    "days_to_recover": "days from the first strike until output is within 2 % of the twin's for a week; NaN: not yet",
    "days_watched": "days from the first strike to the end of the run, at which days_to_recover is cut off",
    "consumption_lost": "final consumption lost, share of the twin's",
    "firms_failing": "firms that fell below half of their usual output at some time",
    "closures": "times that a firm went out of business",
    "gini": "Gini coefficient of what firms made over the horizon",
    "output": "made by all firms over the horizon, currency units",
    "firm_days": "what the shocks themselves took: days of a firm's whole means",
}
"""Outcomes that every study has, and what they are. At intensity 0 they are those of the undisturbed twin."""
EVEN = 1e-9
"""A spread below this share of the mean is rounding."""
COSTS = {
    "stock": "mean value of all stocks of inputs in the twin, currency units",
    "spare_capacity": "capacity beyond usual output, at rest, currency units a day",
    "links": "supply links",
    "output_a_day": "usual output of all firms, currency units a day",
}
"""What it costs to keep a structure as it is, by what can be counted."""
INDEX = "ecosim responses"  # of the JSON in the file's own metadata


@dataclass(frozen=True)
class Made:
    """How responses were made; equal for any two that may be joined. ``unit`` is that of x."""

    scenario: str
    """SHA-256 of the scenario, everything included."""
    seed: int
    days: int
    firms: int
    axis: str
    window: float
    unit: str
    version: str


@dataclass(frozen=True, eq=False)
class Responses:
    """How one scenario responded to its shocks, at m intensities in R replicates with common random numbers.

    ``x``, shape (m,), are the intensities in physical units: firm-days of capacity lost at full strength, mean over
    replicates, times 0, 1/(m-1), ..., 1. ``d`` and ``e``, shape (R, m), are the relative response over the horizon and
    over its last part (science: sum(Y - Y0)/sum(Y0)). ``outcomes`` holds `OUTCOMES`, shape (R, m) each, ``costs`` holds
    `COSTS`, shape (R,) each; ``labels`` say what it is of ("scenario", and whatever a study adds), ``remarks`` what a
    reader must know. Row r is replicate r of the seed. Raises InputError for shapes that do not fit, and for responses
    that are not finite.
    """

    x: Array
    d: Array
    e: Array
    outcomes: Mapping[str, Array]
    costs: Mapping[str, Array]
    labels: Mapping[str, str]
    made: Made
    remarks: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Check shapes and values."""
        shape = (len(self.d), len(grid(self.x)))
        for name, values in {"d": self.d, "e": self.e, **self.outcomes}.items():
            if values.shape != shape:
                raise InputError(
                    f"{name} has shape {values.shape}; with d of {shape[0]} replicates, x asks for {shape}"
                )
            finite = np.isfinite(values)
            if name != "days_to_recover" and not finite.all():
                row, at = np.argwhere(~finite)[0]
                raise InputError(f"{name} is {values[row, at]} in replicate {row} at x = {self.x[at]:g}")
        for name, values in self.costs.items():
            if values.shape != shape[:1]:
                raise InputError(f"cost {name} has shape {values.shape}; give one for each of {shape[0]} replicates")

    # --- what is read off ----------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """What the scenario is called."""
        return self.labels["scenario"]

    @property
    def seed(self) -> int:
        """Seed of all replicates."""
        return self.made.seed

    @property
    def replicates(self) -> int:
        """R."""
        return len(self.d)

    @property
    def variance_ratio(self) -> Array:
        """What pairing is worth: var of Y - Y0 over strangers by that over twins, shape (m,); Y is total output.

        How many times more replicates a study without common random numbers would need for the same intervals. NaN
        where twins do not differ in their difference (as at x = 0), or with fewer than 3 replicates.
        """
        run, twin = self.outcomes["output"], self.outcomes["output"][:, :1]
        if self.replicates < 3:
            return np.full(len(self.x), np.nan)
        paired = (run - twin).var(axis=0, ddof=1)
        apart = run.var(axis=0, ddof=1) + twin.var(axis=0, ddof=1)
        told = np.sqrt(paired) > EVEN * np.mean(twin)
        ratio: Array = np.divide(apart, paired, out=np.full(len(self.x), np.nan), where=told)
        return ratio

    @property
    def twin_correlation(self) -> Array:
        """Correlation of total output with the twin's over replicates, shape (m,); NaN where one does not vary."""
        run = self.outcomes["output"]
        if self.replicates < 3:
            return np.full(len(self.x), np.nan)
        apart = run - run.mean(axis=0)
        spread = run.std(axis=0)
        varies = np.minimum(spread, spread[0]) > EVEN * run[:, 0].mean()
        together = apart[:, 0] @ apart / self.replicates
        found: Array = np.divide(together, spread * spread[0], out=np.full(len(self.x), np.nan), where=varies)
        return found

    def classify(self, **margins: Any) -> Verdict:
        """Give the verdict on these responses; margins as for `ecosim.resilience.classify`."""
        return classify(self.x, self.d, self.e, **margins)

    def table(self) -> pd.DataFrame:
        """A row for each replicate and intensity: replicate, x, d, e and every outcome; costs as ``cost_...``."""
        import pandas as pd

        many, m = self.d.shape
        columns: dict[str, Any] = {
            "replicate": np.repeat(np.arange(many), m),
            "x": np.tile(self.x, many),
            "d": self.d.ravel(),
            "e": self.e.ravel(),
        }
        columns |= {name: values.ravel() for name, values in self.outcomes.items()}
        columns |= {f"cost_{name}": np.repeat(values, m) for name, values in self.costs.items()}
        return pd.DataFrame(columns)

    # --- more, or fewer, replicates ------------------------------------------------------------------------------

    def first(self, replicates: int) -> Responses:
        """Return the first so many replicates, x included: what a study that ended there would have found."""
        if not 1 <= replicates <= self.replicates:
            raise InputError(f"{replicates} of {self.replicates} replicates cannot be taken; give from 1 to that")
        part = replace(
            self,
            d=self.d[:replicates],
            e=self.e[:replicates],
            outcomes={name: values[:replicates] for name, values in self.outcomes.items()},
            costs={name: values[:replicates] for name, values in self.costs.items()},
        )
        return replace(part, x=part._grid())

    def _grid(self) -> Array:
        """Intensities from what the shocks took at full strength, mean over replicates."""
        full = float(self.outcomes["firm_days"][:, -1].mean())
        if full <= 0:
            return self.x
        return full * np.linspace(0.0, 1.0, len(self.x))

    # --- files ---------------------------------------------------------------------------------------------------

    def save(self, path: str | PathLike[str], *, force: bool = False) -> None:
        """Write `table` to one Parquet file, which holds the rest as JSON in its metadata, whole or not at all."""
        import os

        import pyarrow as pa
        import pyarrow.parquet as pq

        rest = {"labels": dict(self.labels), "made": asdict(self.made), "remarks": list(self.remarks)}
        table = pa.Table.from_pandas(self.table(), preserve_index=False)
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), INDEX: json.dumps(rest)})
        with NewFile(os.fspath(path), replace=force) as half:
            pq.write_table(table, half, compression="zstd")

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a file written by ``save``; raises InputError for any other."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            table = pq.read_table(path)
            rest = json.loads(table.schema.metadata[INDEX.encode()])
            made = Made(**rest["made"])
        except FileNotFoundError:
            raise InputError(f"{path}: there is no such file; give one written by Responses.save") from None
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: not the responses of a scenario ({error}); make them again") from None
        frame = table.to_pandas()
        many = int(frame["replicate"].iloc[-1]) + 1
        held = {name: frame[name].to_numpy(dtype=np.float64).reshape(many, -1) for name in frame.columns[1:]}
        return cls(
            x=held.pop("x")[0],
            d=held.pop("d"),
            e=held.pop("e"),
            outcomes={name: values for name, values in held.items() if not name.startswith("cost_")},
            costs={name.removeprefix("cost_"): v[:, 0] for name, v in held.items() if name.startswith("cost_")},
            labels=rest["labels"],
            made=made,
            remarks=tuple(rest["remarks"]),
        )
