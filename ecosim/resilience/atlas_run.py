"""The atlas: which structure is what, under which shock, with which habits; computed once, cell by cell."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim import artefact, provenance
from ecosim.errors import InputError
from ecosim.folders import NewFile
from ecosim.resilience.atlas_cells import Cell, Job, work
from ecosim.resilience.atlas_spec import AtlasSpec, load
from ecosim.resilience.atlas_structures import Look, look, scale_to
from ecosim.resilience.pool import processes
from ecosim.resilience.responses import Responses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor
    from os import PathLike

    import pandas as pd

SAME = 0.02  # buffers scaled by less than this cost the same as they are: the cells are lived once
INDEX = "atlas.json"


@dataclass(frozen=True, eq=False)
class Atlas:
    """A finished atlas: its folder, and the tables made of it."""

    spec: AtlasSpec
    folder: Path

    @cached_property
    def structures(self) -> dict[str, dict[str, Any]]:
        """What is known of each structure: ``network`` and ``cost`` of each habit."""
        return {
            name: artefact.read(Look(self.spec, name, self.folder).file, "delete it, and make the atlas again")
            for name in self.spec.structures
        }

    def scale(self, table: str, habit: str, structure: str) -> float:
        """Multiple of the habit's buffers in a table."""
        if table != "equal" or self.spec.equal_cost is None:
            return 1.0
        cost = self.structures[next(iter(self.spec.structures))]["cost"][self.spec.equal_cost]
        scale = scale_to(self.structures[structure]["cost"][habit], sum(cost.values()))
        return 1.0 if abs(scale - 1.0) < SAME else scale

    def cells(self) -> list[Cell]:
        """Every cell of every table, in order."""
        spec = self.spec
        tables = [("own", tuple(spec.habits)), ("rewired", spec.rewired)]
        if spec.equal_cost is not None:
            tables.insert(1, ("equal", tuple(spec.habits)))
        return [
            Cell(table, habit, structure, shock)  # type: ignore[arg-type]
            for table, habits in tables
            for habit in habits
            for structure in spec.structures
            for shock in spec.shocks
        ]

    def lived_as(self, cell: Cell) -> Cell:
        """Cell whose file holds the responses: at equal cost a habit that already costs that is lived once."""
        return cell._replace(table="own") if cell.table == "equal" and self._same(cell) else cell

    def _same(self, cell: Cell) -> bool:
        return self.scale(cell.table, cell.habit, cell.structure) == 1.0

    def responses(self, cell: Cell) -> Responses:
        """What was lived in a cell."""
        return Responses.load(self.folder / self.lived_as(cell).file)

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row for each cell and measure; see `ecosim.resilience.atlas_tables.verdicts`."""
        from ecosim.resilience.atlas_tables import verdicts

        return verdicts(self)

    @cached_property
    def ranks(self) -> pd.DataFrame:
        """How structures rank by G, with intervals; see `ecosim.resilience.atlas_ranks.ranks`."""
        from ecosim.resilience.atlas_ranks import ranks

        return ranks(self)

    def write(self) -> list[Path]:
        """Write tables and maps beside the cells; return their files."""
        from ecosim.resilience.atlas_report import write

        return write(self)


def atlas(
    spec: AtlasSpec | str | PathLike[str] = "default",
    *,
    out: str | PathLike[str],
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Atlas:
    """Compute an atlas (or its YAML file, or the shipped one of that name) in a folder, or go on with it there.

    Each cell is a file that appears whole, so whatever ends the process costs the cells under way at most; results are
    the same for any number of ``workers``. ``progress(done, total)`` counts cells. Raises InputError for a folder that
    holds another atlas.
    """
    chosen = spec if isinstance(spec, AtlasSpec) else load(spec)
    folder = Path(out)
    _claim(folder, chosen)
    found = Atlas(chosen, folder)
    with processes(workers) as pool:
        looks = [Look(chosen, name, folder) for name in chosen.structures]
        _drain(look, [each for each in looks if not each.file.exists()], pool)
        missing = dict.fromkeys(found.lived_as(cell) for cell in found.cells())
        total = len(missing)
        jobs = list(_jobs(found, [cell for cell in missing if not (folder / cell.file).exists()]))
        done = total - sum(len(job.cells) for job in jobs)
        if progress is not None:
            progress(done, total)
        for many in _drain(work, jobs, pool):
            done += many
            if progress is not None:
                progress(done, total)
    return found


def _claim(folder: Path, spec: AtlasSpec) -> None:
    """Take a folder for an atlas, or see that it is this one's."""
    from importlib.metadata import version

    mine = {"atlas": spec.digest(), "version": version("ecosim")}
    index = folder / INDEX
    if index.exists():
        try:
            held = dict(json.loads(index.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"{index}: damaged ({error}); choose another folder, or delete it") from None
        if {key: held.get(key) for key in mine} != mine:
            raise InputError(f"{folder}: holds cells of another atlas or version; choose another folder, or delete it")
        if "spec" not in held:  # begun before atlases said what they are; who made those cells is not known any more
            with NewFile(index, replace=True) as half:
                half.write_text(json.dumps(mine | _spec(spec), indent=1), encoding="utf-8")
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: exists and holds no atlas; choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    with NewFile(index, replace=True) as half:
        made = {provenance.KEY: provenance.about([spec.economy], seed=spec.seed)}
        half.write_text(json.dumps(mine | _spec(spec) | made, indent=1, ensure_ascii=False), encoding="utf-8")


def _spec(spec: AtlasSpec) -> dict[str, Any]:
    """The atlas as plain values that read back to it: a structure may not name suppliers of its own."""
    values = spec.model_dump(mode="json")
    for structure in values["structures"].values():
        structure.pop("suppliers", None)
    return {"spec": values}


def read(folder: Path, *, allow_code: bool = False) -> Atlas:
    """Open the folder of an atlas, whose cells need not all be there. Raises InputError where it is none."""
    index = folder / INDEX
    try:
        held = artefact.read(index, "make the atlas again")
        spec = AtlasSpec.model_validate(held["spec"], context={"base_dir": None, "allow_code": allow_code})
    except KeyError:
        raise InputError(
            f"{index}: does not say what the atlas is, as those of an older ecosim; run ecosim atlas on it again with "
            "--out: cells that are there are not lived again"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{index}: damaged ({error}); make the atlas again") from None
    return Atlas(spec, folder)


def _jobs(found: Atlas, missing: Iterable[Cell]) -> Iterator[Job]:
    """Cells that share a twin, together; the slowest habits first, so that nobody waits for them at the end."""
    groups: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in missing:
        groups.setdefault((cell.table, cell.habit, cell.structure), []).append(cell)
    slow = {name: len(habit.mechanisms) for name, habit in found.spec.habits.items()}
    for (table, habit, structure), cells in sorted(groups.items(), key=lambda item: -slow[item[0][1]]):
        yield Job(found.spec, tuple(cells), found.scale(table, habit, structure), found.folder)


def _drain(do: Callable[[Any], int], jobs: list[Any], pool: Executor | None) -> Iterator[int] | list[int]:
    if pool is None:
        return [do(job) for job in jobs] if do is look else map(do, jobs)
    from concurrent.futures import as_completed

    waiting = [pool.submit(do, job) for job in jobs]
    done = (each.result() for each in as_completed(waiting))
    return list(done) if do is look else done
