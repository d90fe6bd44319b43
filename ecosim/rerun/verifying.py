"""The verification of a folder: what was lived again, what differs, and what could be the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ecosim import provenance
from ecosim.artefact import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from ecosim.rerun.difference import Difference


@dataclass
class Findings:
    """What was compared and what differs, as one kind of folder reports it."""

    compared: list[str] = field(default_factory=list)
    """Tables that agree to the bit, and how much of them was lived again."""
    differences: list[Difference] = field(default_factory=list)
    """The first difference of each table that does not."""
    left_out: str = ""
    """What was not lived again, and how to have it lived."""

    def note(self, what: str, found: Difference | None) -> None:
        """Take note of a table that was compared."""
        if found is None:
            self.compared.append(what)
        else:
            self.differences.append(found)


@dataclass(frozen=True)
class Verification:
    """The outcome for one folder."""

    folder: Path
    findings: Findings
    warnings: tuple[str, ...]
    """What is not as it was when the folder was made: ecosim, a library, a file."""

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.findings.differences

    def sentences(self) -> list[str]:
        """All of it in words."""
        found = self.findings
        said = [f"warning: {word}" for word in self.warnings]
        said += [f"differs: {each}" for each in found.differences]
        said += [f"same to the bit: {', '.join(found.compared)}"] if found.compared else []
        said += [found.left_out] if found.left_out else []
        end = "is what it says it is" if self.same else "is not what living it again gives"
        why = "; the warnings above may be the reason" if self.warnings and not self.same else ""
        return [*said, f"{self.folder} {end}{why}."]


def verify(
    folder: str | PathLike[str],
    *,
    every: bool = False,
    allow_code: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Verification:
    """Live a folder again from its scenario, seed and data, and compare every table with it, bit by bit.

    Of a sweep, a comparison, an atlas or a policy study a sample is lived again, or with ``every`` all of it.
    ``progress`` is told what is under way. Raises InputError for a folder that no command wrote, or from which nothing
    can be lived.
    """
    place = Path(folder)
    kind = kind_of(place)
    findings = Findings()
    warnings = provenance.changes(provenance.of(place))
    again = import_module(f"ecosim.rerun.{kind.module}").again
    again(place, findings, every=every, allow_code=allow_code, progress=progress or (lambda _: None))
    return Verification(place, findings, tuple(warnings))
