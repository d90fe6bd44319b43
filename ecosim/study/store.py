"""Where runs are kept: Parquet files of a batch each, a row a run, that appear whole or not at all.

A batch is one file, written under a hidden name, flushed to the disk and renamed: a process can be killed at any
moment, and the folder holds either all of a batch or nothing. A run that was lived twice, because its process died
before it could say that it was done, stands there twice, and is read once.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from ecosim.errors import InputError
from ecosim.study.job import OK, STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from ecosim.study.job import Row

RUNS = "runs"
OUTCOME, SERIES = "outcome.", "series."
PLAIN = (
    pa.field("run", pa.int64()),
    pa.field("run_id", pa.string()),
    pa.field("status", pa.string()),
    pa.field("error", pa.string()),
    pa.field("traceback", pa.string()),
    pa.field("seconds", pa.float64()),
)
SMALL = 4_000_000  # bytes; larger files are left as they are
TOGETHER = 48_000_000  # bytes of files that are put into one
TRIES = 20  # reading again when files were put together meanwhile


def commit(folder: str | Path, rows: Sequence[Row]) -> None:
    """Keep the rows of a batch, all or none. Raises OSError where they cannot be written."""
    _write(Path(folder) / RUNS, _table(rows), rows[0].run)


def _table(rows: Sequence[Row]) -> pa.Table:
    fields, columns = list(PLAIN), [[getattr(row, field.name) for row in rows] for field in PLAIN]
    for name in sorted({name for row in rows for name in row.outcomes}):
        fields.append(pa.field(OUTCOME + name, pa.float64()))
        columns.append([row.outcomes.get(name) for row in rows])
    # Series in the order in which runs measure them.
    for name in dict.fromkeys(name for row in rows for name in row.series):
        fields.append(pa.field(SERIES + name, pa.list_(pa.float64())))
        columns.append([row.series.get(name) for row in rows])
    schema = pa.schema(fields)
    arrays = [pa.array(values, type=field.type) for values, field in zip(columns, fields, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _write(runs: Path, table: pa.Table, first: int) -> Path:
    """Write a file that appears whole."""
    memory = pa.BufferOutputStream()
    lists = [f"{name}.list.element" for name in table.column_names if name.startswith(SERIES)]
    texts = [field.name for field in PLAIN if field.type == pa.string()]
    # The bytes of similar numbers side by side, for the compression to find.
    pq.write_table(table, memory, compression="zstd", use_dictionary=texts, use_byte_stream_split=lists or False)
    name = f"{first:010d}-{secrets.token_hex(6)}.parquet"
    half, whole = runs / f".{name}", runs / name
    try:
        with half.open("wb") as file:
            file.write(memory.getvalue())
            file.flush()
            os.fsync(file.fileno())
        half.rename(whole)
    except OSError:
        with suppress(OSError):
            half.unlink(missing_ok=True)
        raise
    _flush(runs)
    return whole


def _flush(folder: Path) -> None:
    """Have the names in a folder on the disk, too, where the system offers it."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sweep_up(folder: Path) -> None:
    """Remove what killed processes left half written."""
    for half in (folder / RUNS).glob(".*.parquet"):
        half.unlink(missing_ok=True)


def files(folder: Path) -> list[Path]:
    """Files of a study's runs, in the order of their names."""
    return sorted(path for path in (folder / RUNS).glob("*.parquet") if not path.name.startswith("."))


def read(folder: Path, choose: Callable[[Iterable[str]], list[str]], where: Any = None) -> pa.Table:
    """Columns that ``choose`` picks from all there are, of the runs that fulfil ``where``, each run once and in order.

    Where a run stands twice, one that succeeded counts before one that did not. Raises InputError where a file is
    damaged.
    """
    for attempt in range(TRIES):
        try:
            table = _read(folder, choose, where)
        except FileNotFoundError:  # put together with others in this moment
            if attempt + 1 == TRIES:
                raise
        except pa.ArrowInvalid as error:
            raise InputError(
                f"{_damaged(folder)}: damaged ({error}); delete it, and sweep again: only its runs are lived again"
            ) from None
        else:
            return table
    raise AssertionError("unreachable")


def _damaged(folder: Path) -> Path:
    """The first file of runs that cannot be read."""
    for path in files(folder):
        try:
            pq.read_table(path)
        except (OSError, ValueError):
            return path
    return folder / RUNS


def _read(folder: Path, choose: Callable[[Iterable[str]], list[str]], where: Any) -> pa.Table:
    paths = files(folder)
    if not paths:
        return pa.schema(PLAIN).empty_table()
    schema = pa.unify_schemas([pq.read_schema(path) for path in paths])
    names = list(dict.fromkeys(["run", "status", *choose(schema.names)]))
    found = ds.dataset([str(path) for path in paths], schema=schema, format="parquet")
    return _once(found.to_table(columns=names, filter=where))


def _once(table: pa.Table) -> pa.Table:
    """Each run once, by number."""
    runs = table["run"].to_numpy()
    if len(runs) > 1:
        rank = np.array([STATUSES.index(status) for status in table["status"].to_pylist()])
        order = np.lexsort((rank, runs))
        ordered = runs[order]
        kept = order[np.concatenate(([True], ordered[1:] != ordered[:-1]))]
        if len(kept) < len(runs) or (np.diff(kept) < 0).any():
            return table.take(pa.array(kept))
    return table


class Kept(NamedTuple):
    """Runs that are kept, shape (runs,) each: number, whether it succeeded, and the watched outcome or NaN."""

    runs: NDArray[np.int64]
    ok: NDArray[np.bool_]
    watched: NDArray[np.float64]


def finished(folder: Path, watched: str | None = None, where: Any = None) -> Kept:
    """Return what is kept of a study, without its outcomes but for the ``watched`` one."""
    wanted = f"{OUTCOME}{watched}"
    table = read(folder, lambda names: [name for name in names if name == wanted], where)
    runs, ok = table["run"].to_numpy(), pc.equal(table["status"], OK).to_numpy(zero_copy_only=False)
    if wanted not in table.column_names:
        return Kept(runs, ok, np.full(len(runs), np.nan))
    values = table[wanted].to_numpy(zero_copy_only=False).astype(np.float64)
    return Kept(runs, ok, np.where(ok, values, np.nan))


def compact(folder: Path) -> None:
    """Put small files together, so that a table is read from few; those that are read meanwhile lose nothing."""
    together: list[Path] = []
    size = 0
    for path in files(folder):
        length = path.stat().st_size
        if length > SMALL:
            continue
        together.append(path)
        size += length
        if size > TOGETHER:
            _merge(together)
            together, size = [], 0
    if len(together) > 1:
        _merge(together)


def _merge(paths: list[Path]) -> None:
    tables = [pq.read_table(path) for path in paths]
    table = _once(pa.concat_tables(tables, promote_options="default"))
    _write(paths[0].parent, table, int(table["run"][0].as_py()))
    for path in paths:
        path.unlink()
