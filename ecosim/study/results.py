"""A study's folder, read: the table of its runs, their series, how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from ecosim.errors import InputError
from ecosim.study import folder, store
from ecosim.study.agenda import enough
from ecosim.study.groups import of_path
from ecosim.study.job import OK
from ecosim.study.progress import Progress
from ecosim.study.spec import Stop
from ecosim.study.spreadsheet import csv

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ecosim.study.analysis.analysis import Analysis

ABOUT = ("run", "run_id", "point", "replicate", "seed")
CSV = "table.csv"


@dataclass(frozen=True, repr=False)
class Study:
    """A study that was lived, or is being lived: ``folder`` holds it all, and reading it runs no code from there."""

    folder: Path
    manifest: dict[str, Any]
    """What the study is: name, seed, points, replicates, versions, and under ``spec`` what was asked for."""

    @classmethod
    def load(cls, place: str | Path) -> Study:
        """Open the folder of a study. Raises InputError where it is none."""
        return cls(Path(place), folder.manifest(Path(place)))

    def __repr__(self) -> str:
        """Say what it is."""
        points, replicates = self.manifest["points"], self.manifest["replicates"]
        return f"<Study {self.manifest['name']!r}: {points:,} points x {replicates:,} replicates in {self.folder}>"

    @property
    def design(self) -> pd.DataFrame:
        """A row a point, a column a factor: the values, or the names of values, that the point has."""
        try:
            return pd.read_parquet(self.folder / folder.DESIGN)
        except (OSError, ValueError) as error:
            raise InputError(f"{self.folder / folder.DESIGN}: damaged ({error}); sweep again") from None

    @property
    def progress(self) -> Progress | None:
        """How far it is, and whether somebody is at work on it."""
        return Progress.of(self.folder)

    def table(self) -> pd.DataFrame:
        """A row a run: numbers, seed, factors, outcomes, ``status`` and ``error``.

        Runs are in the order of their numbers (point x replicates + replicate), outcomes in the order asked for, or by
        name; an outcome that a run does not have is NaN. ``status`` is ok, error, time, memory or killed. Of a study
        that is under way, the runs that are kept so far.
        """
        return self._table("status", "error")

    def failures(self) -> pd.DataFrame:
        """The runs that did not succeed: numbers, seed, factors, ``status``, ``error`` and ``traceback``."""
        table = self._table("status", "error", "traceback", outcomes=False)
        return table[table["status"] != OK].reset_index(drop=True)

    def _table(self, *about: str, outcomes: bool = True) -> pd.DataFrame:
        kept = self._read(lambda names: [
            *("run_id", *about), *(name for name in names if outcomes and name.startswith(store.OUTCOME))
        ])  # fmt: skip
        run = kept["run"].to_numpy()
        point = run // self.manifest["replicates"]
        columns: dict[str, Any] = {
            "run": run,
            "run_id": kept["run_id"],
            "point": point,
            "replicate": run % self.manifest["replicates"],
            "seed": np.full(len(run), self.manifest["seed"]),
        }
        factors = self.design.take(point).reset_index(drop=True)
        columns |= {str(name): factors[name] for name in factors}
        if outcomes:
            columns |= {name: kept[store.OUTCOME + name] for name in self._outcomes(list(map(str, kept)))}
        return pd.DataFrame(columns | {name: kept[name] for name in about})

    def _outcomes(self, names: list[str]) -> list[str]:
        asked = self.manifest["spec"].get("outcomes")
        found = sorted(name.removeprefix(store.OUTCOME) for name in names if name.startswith(store.OUTCOME))
        if asked is not None:
            wanted = (name for path in asked for name in ([path] if path in found else of_path(path, found)))
            return list(dict.fromkeys(wanted))
        # What some runs have parts of (a relapse and its day) is no figure in those that have none.
        groups = {name.rsplit(".", at)[0] for name in found for at in range(1, name.count(".") + 1)}
        return [name for name in found if name not in groups and name not in self.manifest["factors"]]

    def _read(self, choose: Any, where: Any = None) -> pd.DataFrame:
        table: pd.DataFrame = store.read(self.folder, choose, where).to_pandas()
        stop = self.manifest["spec"].get("stop")
        if stop is None or table.empty or where is not None:
            return table
        return table[self._counts(table["run"].to_numpy(), Stop.model_validate(stop))].reset_index(drop=True)

    def _counts(self, runs: NDArray[np.int64], stop: Stop) -> NDArray[np.bool_]:
        """Which runs the stopping rule keeps: none that was lived beyond what it asked for."""
        most = self.manifest["replicates"]
        kept = store.finished(self.folder, stop.outcome)
        values = np.full((self.manifest["points"], most), np.nan)
        lived = np.zeros(values.shape, dtype=bool)
        values.flat[kept.runs], lived.flat[kept.runs] = kept.watched, True
        needed = np.full(len(values), most)
        for point in np.flatnonzero(lived.any(axis=1)):
            first = most if lived[point].all() else int(np.argmin(lived[point]))
            found = enough(stop, values[point, :first], most)
            needed[point] = most if found is None else found
        counts: NDArray[np.bool_] = runs % most < needed[runs // most]
        return counts

    def series(self, run: str | int) -> pd.DataFrame:
        """Daily series of a run, by its id or its number, indexed by day; day -1 is the economy at rest.

        Raises InputError for a run that is not there, that failed, or whose series were not kept.
        """
        which = pc.field("run_id" if isinstance(run, str) else "run") == run
        kept = store.read(self.folder, _series_names, which).slice(0, 1)
        if not kept.num_rows:
            raise InputError(f"{self.folder}: there is no run {run!r}; table() lists those that are kept")
        if kept["status"][0].as_py() != OK:
            raise InputError(f"run {run!r} did not succeed ({kept['status'][0].as_py()}); failures() says why")
        names = [name for name in _series_names(kept.column_names) if kept[name][0].as_py() is not None]
        if not names:
            raise InputError(f"{self.folder}: no series were kept; sweep again with series: all")
        columns = {name.removeprefix(store.SERIES): kept[name][0].values.to_numpy() for name in names}
        days = len(next(iter(columns.values())))
        return pd.DataFrame(columns, index=pd.RangeIndex(-1, days - 1, name="day"))

    def analyse(
        self, outcome: str | None = None, *, above: float | None = None, below: float | None = None
    ) -> Analysis:
        """Ask the runs kept so far about an outcome; see `ecosim.study.analysis.analysis.analyse`."""
        from ecosim.study.analysis.analysis import analyse

        return analyse(self, outcome, above=above, below=below)

    def write_csv(self) -> Path:
        """Write the table beside the runs, for other programs; numbers read back to the bit."""
        half, whole = self.folder / f".{CSV}", self.folder / CSV
        half.write_text(csv(self.table()), encoding="utf-8")
        half.replace(whole)
        return whole


def _series_names(names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(store.SERIES)]
