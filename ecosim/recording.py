"""Columns of every firm on every day, written to one Parquet file while the run lives: compressed and out of core."""

from __future__ import annotations

import errno
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ecosim.errors import InputError
from ecosim.folders import unwritable
from ecosim.state import FIRM_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from numpy.typing import NDArray

    from ecosim.model import Ecosystem
    from ecosim.state import World

ALL = "all"
KEYS = ("day", "row")
BYTES = 8  # of a value at most: a float64 that nothing compresses; day and row take less than one together
# Inside a block of days the rows of a firm follow one another. Most firms change little from day to day, so this order
# compresses two to four times better than day after day; longer blocks gain little more and take more memory.
DAYS = 8  # of a block at least
ROWS = 2**20  # of a block where the economy is so small that more days fit
LARGEST = 2**26  # rows that pyarrow writes as one row group
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def chosen(record: str | Iterable[str]) -> tuple[str, ...]:
    """Names of columns, each once, from names or texts of names separated by commas."""
    texts = [record] if isinstance(record, str) else record
    return tuple(dict.fromkeys(name.strip() for text in texts for name in text.split(",")))


def at_most(firms: int, days: int, columns: int) -> int:
    """Most bytes that recording takes on disk; as a rule it is less than half."""
    return firms * days * (columns * BYTES + 1)


def size(amount: float) -> str:
    """Bytes as people read them."""
    unit, name = next(((unit, name) for unit, name in ((1e9, "GB"), (1e6, "MB")) if amount >= 0.1 * unit), (1e3, "kB"))
    return f"{amount / unit:,.1f} {name}"


class Recorder:
    """Writes columns of every firm, day after day, to a new Parquet file ``path``.

    The file has int32 columns ``day`` and ``row`` (of the firm in the frame ``firms``) and one of float64, exact to the
    bit, for each of ``columns`` ("all" for all that firms have). It is written a block of days at a time: the memory
    taken does not depend on the number of days. ``after`` is the file of the days that were lived before the run was
    interrupted; its columns are recorded on, into the very file that an uninterrupted run gives.

    Within its context ``begin`` comes first, then ``note`` after each day, then ``close``; left without ``close``, it
    leaves a file that is not whole. ``shown``, ``where`` and ``otherwise`` are for the texts of errors: what the user
    calls the place, the option, and what else could be done.
    """

    def __init__(
        self,
        path: Path,
        columns: str | Iterable[str] = (),
        *,
        after: Path | None = None,
        shown: str | Path | None = None,
        where: str = "record",
        otherwise: str = "choose another file",
    ) -> None:
        """Touch no file yet."""
        self.path, self.columns, self.after = path, chosen(columns), after
        self.shown, self.where, self.otherwise = path if shown is None else shown, where, otherwise
        self._file: Any = None
        self._writer: Any = None
        self._held = self._first = 0  # days of the block that are filled, and the first of them

    def __enter__(self) -> Self:
        """Open the file, so that a place that cannot be written to is told before an economy is built."""
        try:
            self._file = self.path.open("xb")
        except OSError as error:
            raise unwritable(self.shown, error, self.otherwise) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the file."""
        if self._writer is not None:
            with suppress(OSError, pa.ArrowException):
                self._writer.close()
            self._writer = None
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    def begin(self, eco: Ecosystem) -> str:
        """Make ready for an economy, and return a sentence that says what it will take.

        Raises InputError for a column that firms have not, for a disk without room, and for recorded days that are not
        those of this run.
        """
        if self.after is not None:
            self.columns = self._kept_columns(self.after)
        available = eco.world.firms.columns
        self.columns = tuple(available) if ALL in self.columns else self.columns
        for name in self.columns:
            if name not in available or name in KEYS:
                raise InputError(
                    f"{self.where}: firms have no column {name!r}; give {ALL}, or some of {', '.join(available)}"
                )
        self.firms, days = eco.world.firms.rows, eco.scenario.days
        what = f"{', '.join(self.columns)} of {self.firms:,} firms on {days:,} days"
        needed = at_most(self.firms, days, len(self.columns))
        free = shutil.disk_usage(self.path.parent).free
        if needed > free:
            raise InputError(
                f"{self.where}: {what} take up to {size(needed)}, and {size(free)} are free at {self.shown}; "
                f"record fewer columns or days, or {self.otherwise}"
            )
        fits = min(days, max(DAYS, ROWS // self.firms), max(1, LARGEST // self.firms))
        self._blocks = [np.empty((self.firms, fits)) for _ in self.columns]
        self._identity = json.dumps(
            {
                "scenario_sha256": eco.scenario.digest(),
                "seed": eco.seed,
                "replicate": eco.replicate,
                "firms": self.firms,
            }
        ).encode()
        self._schema = pa.schema(
            [
                pa.field("day", pa.int32(), metadata={"description": "day, 0 the first"}),
                pa.field("row", pa.int32(), metadata={"description": "row of the firm in firms.parquet, 0 the first"}),
                *(
                    pa.field(name, pa.float64(), metadata={"description": FIRM_COLUMNS.get(name, "")})
                    for name in self.columns
                ),
            ],
            metadata={b"ecosim": self._identity},
        )
        self._writer = pq.ParquetWriter(
            self._file,
            self._schema,
            compression="zstd",
            compression_level=1,  # higher ones gain nothing here
            use_dictionary=False,
            column_encoding={"row": "DELTA_BINARY_PACKED"},
            write_page_checksum=True,
        )
        if self.after is not None:
            self._replay(self.after, eco.day + 1)
        return f"Recording {what}: at most {size(needed)}, as a rule less than half"

    def note(self, world: World) -> None:
        """Record the day just lived."""
        self._put(world.day, [world.firms.columns[name] for name in self.columns])

    def close(self) -> None:
        """Write what is left, and make the file whole."""
        if self._writer is None:
            return
        if self._held:
            self._flush()
        try:
            self._writer.close()
            self._file.close()
        except OSError as error:
            raise self._refused(error) from None
        self._writer = None
        self._blocks = []

    def _put(self, day: int, values: list[NDArray[np.float64]]) -> None:
        if not self._held:
            self._first = day
        for block, column in zip(self._blocks, values, strict=True):
            block[:, self._held] = column
        self._held += 1
        if self._held == self._blocks[0].shape[1]:
            self._flush()

    def _flush(self) -> None:
        """Write the block of days as one row group."""
        days, self._held = self._held, 0
        day = np.tile(np.arange(self._first, self._first + days, dtype=np.int32), self.firms)
        row = np.repeat(np.arange(self.firms, dtype=np.int32), days)
        values = [np.ascontiguousarray(block[:, :days]).reshape(-1) for block in self._blocks]
        try:
            self._writer.write_table(pa.table([day, row, *values], schema=self._schema), row_group_size=len(day))
        except OSError as error:
            raise self._refused(error) from None

    def _refused(self, error: OSError) -> InputError:
        if error.errno not in FULL:
            return unwritable(self.shown, error, self.otherwise)
        return InputError(
            f"{self.shown}: no room for the recorded days ({os.strerror(error.errno)}); make room, record fewer "
            f"columns or days, or {self.otherwise}"
        )

    def _kept_columns(self, path: Path) -> tuple[str, ...]:
        try:
            names = pq.read_schema(path).names
        except FileNotFoundError:
            raise InputError(f"{path}: no such file; it holds the days recorded before, so put it back") from None
        except (OSError, pa.ArrowException) as error:
            raise self._damaged(path, error) from None
        return tuple(name for name in names if name not in KEYS)

    def _replay(self, path: Path, lived: int) -> None:
        """Record the first ``lived`` days again, from the file that has them."""
        day = 0
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as kept:
                if (kept.schema_arrow.metadata or {}).get(b"ecosim") != self._identity:
                    raise InputError(f"{path}: recorded by another run; put the file back that was beside this one")
                for at in range(kept.num_row_groups):
                    table = kept.read_row_group(at, columns=list(self.columns))
                    blocks = [table[name].to_numpy().reshape(self.firms, -1) for name in self.columns]
                    for place in range(min(blocks[0].shape[1], lived - day)):
                        self._put(day, [block[:, place] for block in blocks])
                        day += 1
        except InputError:
            raise
        except (OSError, ValueError, pa.ArrowException) as error:  # a page that lost rows has another shape
            raise self._damaged(path, error) from None
        if day < lived:
            raise self._damaged(path, f"it ends on day {day}, and {lived} were lived")

    def _damaged(self, path: Path, error: object) -> InputError:
        return InputError(f"{path}: not the recorded days of a run, or damaged ({error}); run the scenario again")
