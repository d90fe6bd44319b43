"""The seal: troubles that nobody chose by, opened once, and written down so that a second time cannot pass unseen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ecosim.config.written import mapping
from ecosim.errors import InputError
from ecosim.folders import NewFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ecosim.study.policy.packages import Package
    from ecosim.study.policy.spec import PolicySpec

NO_PART = {"scenario", "set", "name", "limits", "verdict", "sealed"}  # of what was decided before the seal


@dataclass(frozen=True)
class Opening:
    """One kind of trouble, opened for one choice."""

    type: str
    shocks: str
    """SHA-256 of its shocks."""
    chosen: str
    frozen: str
    """SHA-256 of the study and of what it chose."""
    at: str


def frozen(spec: PolicySpec, chosen: Sequence[Package]) -> str:
    """Digest of all that was decided before the seal is opened."""
    told = spec.model_dump(mode="json", exclude=NO_PART)
    values = [spec.base.digest(), told, [each.levels for each in chosen]]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def broken(record: Path, spec: PolicySpec, chosen: Sequence[Package]) -> list[Opening]:
    """Open the seal: note it on the disk, before anything is lived, and return earlier openings for another choice.

    The same study with the same choice may look again as often as it likes. Whoever saw the sealed troubles and then
    changed the study has them in the record, and what they see now is no final test any more.
    """
    before = read(record)
    now = frozen(spec, chosen)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    digests = {name: _digest(spec, name) for name in spec.sealed}
    earlier = [one for one in before if one.shocks in digests.values() and one.frozen != now]
    new = [
        Opening(name, digest, chosen[0].name, now, at)
        for name, digest in digests.items()
        if not any(one.shocks == digest and one.frozen == now for one in before)
    ]
    if new:
        with NewFile(record, replace=True) as half:
            half.write_text(json.dumps([asdict(one) for one in (*before, *new)], indent=2) + "\n", encoding="utf-8")
    return earlier


def read(record: Path) -> list[Opening]:
    """Openings so far. Raises InputError for a file that is no such record, rather than to forget what it held."""
    try:
        return [Opening(**one) for one in json.loads(record.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{record}: not a record of openings ({error}); put back the file that was there") from None


def _digest(spec: PolicySpec, name: str) -> str:
    shocks = mapping(spec.base.with_({"shocks": list(spec.sealed[name])}))["shocks"]
    return hashlib.sha256(json.dumps(shocks, sort_keys=True).encode()).hexdigest()
