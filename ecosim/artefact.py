"""What a folder is that some command wrote, told from the files in it, before anything heavy is imported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from ecosim.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


class Kind(NamedTuple):
    """A kind of folder: what it is ``of``, the command that ``made`` it, and a file that only such a folder has."""

    of: str
    made: str
    holder: str

    @property
    def module(self) -> str:
        """Name of the modules that know this kind: the first word of what it is of."""
        return self.of.split()[0]


RUN = Kind("run", "ecosim run", "manifest.json")
SWEEP = Kind("sweep", "ecosim sweep", "manifest.json")
COMPARISON = Kind("comparison", "ecosim compare", "comparison.json")
ATLAS = Kind("atlas", "ecosim atlas", "atlas.json")
POLICY = Kind("policy study", "ecosim policy", "study.json")
KINDS = (RUN, COMPARISON, ATLAS, SWEEP, POLICY)
STAGES = "runs"  # of a policy study: each of its stages is the folder of a sweep
#: Folders that look like results and are made of another one, with what to give instead.
OTHERS = {
    "calibration.json": "a calibration; give one of its waves, such as {}/wave-1",
    "analysis.json": "an analysis; give the folder of the study that it was made from",
    "cascade.graphml": "an explanation; give the folder of the run that it explains",
}
TELLS = {"study_sha256": SWEEP, "series_sha256": RUN}
#: Values of a record in which others stand, and what each must be.
SHAPES: dict[str, Any] = {
    "provenance": dict, "command": list | None, "data": list, "files": dict, "imported": dict, "lineage": dict,
    "spec": dict, "versions": dict,
}  # fmt: skip


def read(path: Path, mend: str = "make it again") -> dict[str, Any]:
    """What a file of a folder says in JSON. Raises InputError where it is damaged, or was written by something else."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: damaged ({error}); {mend}") from None
    if not isinstance(held, dict):
        raise InputError(f"{path}: damaged (no keys with values); {mend}")
    for name, kind in SHAPES.items():
        for values in (held, held.get("provenance", {})):
            if name in values and not isinstance(values[name], kind):
                what = "keys with values" if kind is dict else "a list"
                raise InputError(f"{path}: damaged ({name} is {str(values[name])[:40]!r}, and not {what}); {mend}")
    return held


def table(path: Path, mend: str = "make it again") -> pd.DataFrame:
    """A table of a folder. Raises InputError where it is missing or damaged."""
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: missing or damaged ({error}); {mend}") from None


def kind_of(folder: Path) -> Kind:
    """What a folder is. Raises InputError where it is none that ecosim wrote, with what was expected."""
    if not folder.exists():
        raise InputError(f"{folder}: no such folder; give one written by {_commands(KINDS)}")
    if not folder.is_dir():
        raise InputError(f"{folder}: a file; give a folder written by {_commands(KINDS)}")
    for kind in (ATLAS, COMPARISON, POLICY):
        if (folder / kind.holder).is_file():
            return kind
    if (folder / RUN.holder).is_file():
        held = read(folder / RUN.holder)
        for key, kind in TELLS.items():
            if key in held:
                return kind
    for name, words in OTHERS.items():
        if (folder / name).is_file():
            raise InputError(f"{folder}: {words.format(folder)}")
    expected = ", ".join(sorted({kind.holder for kind in KINDS}))
    raise InputError(f"{folder}: none of {expected} is in it; give a folder written by {_commands(KINDS)}")


def holder(folder: Path) -> Path:
    """File of a folder that holds its provenance; of a policy study that of its first stage."""
    kind = kind_of(folder)
    if kind != POLICY:
        return folder / kind.holder
    found = stages(folder)
    if not found:
        raise InputError(f"{folder}: nothing was lived so far; go on with {POLICY.made}")
    return found[0] / SWEEP.holder


def stages(folder: Path) -> list[Path]:
    """Folders of the sweeps that a policy study was lived in."""
    return sorted(path.parent for path in (folder / STAGES).glob(f"*/{SWEEP.holder}"))


def expect(folder: Path, kind: Kind) -> None:
    """Raise InputError where a folder is not of this kind."""
    if not folder.exists():
        raise InputError(f"{folder}: no such folder; give one written by {kind.made}")
    found = kind_of(folder)
    if found != kind:
        raise InputError(f"{folder}: the folder of {_a(found.of)}; give one written by {kind.made}")


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _commands(kinds: tuple[Kind, ...]) -> str:
    names = [kind.made for kind in kinds]
    return f"{', '.join(names[:-1])} or {names[-1]}"
