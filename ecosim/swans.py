"""What may be called a black swan: four conditions (after Taleb 2007) that the code checks, and nobody can claim.

A black swan is of a type outside of what agents expect and what policies were tuned on, enters by a channel that was
unused there, costs more than the 99.9 % quantile of the losses seen there, and is opened once, after the policies are
frozen. Whatever meets only some of this is a grey swan (known of, but rarer or harder) or a plain stress.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ecosim.errors import InputError
from ecosim.folders import NewFile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from ecosim.config import Scenario
    from ecosim.result import Result
    from ecosim.shocks.shock import Shock

BLACK, GREY, STRESS = "black_swan", "grey_swan", "stress"
RARE = 0.999
MOST_GAIN = 10.0  # times its output that an economy could make more by a shock: beyond, the record is wrong
FEWEST = 1000  # losses from which a quantile of 99.9 % can be read without a model of the tail


@dataclass(frozen=True)
class Training:
    """All that a policy or a habit was tuned on, before a sealed shock is opened.

    ``kinds`` and ``channels`` are those of the shocks seen; ``losses`` (k,) the shares of output lost in the training
    runs; ``frozen`` the digest of the scenario without shocks once it is fixed; ``opened`` the digests of what was
    opened on it. Make it with `Training.of`, `freeze` it, and `save` it: a scenario names the file.
    """

    kinds: tuple[str, ...]
    channels: tuple[str, ...]
    losses: tuple[float, ...]
    frozen: str | None = None
    opened: tuple[str, ...] = ()

    @classmethod
    def of(cls, results: Iterable[Result]) -> Self:
        """What some runs have seen and lost."""
        kinds: set[str] = set()
        channels: set[str] = set()
        losses = []
        for result in results:
            kinds |= {shock.kind for shock in _shocks(result.scenario)}
            channels |= {channel for shock in _shocks(result.scenario) for channel in shock.may_write()}
            losses.append(float(result.summary["loss"]["production_percent"]) / 100.0)
        return cls(tuple(sorted(kinds)), tuple(sorted(channels)), tuple(losses))

    def freeze(self, scenario: Scenario) -> Self:
        """Fix the economy, habits and policies of a scenario: what is opened later must find them unchanged."""
        return replace(self, frozen=frozen_part(scenario))

    def quantile(self) -> float:
        """Loss that all but a thousandth of the training runs stayed below, a share of output."""
        if len(self.losses) < FEWEST:
            raise InputError(
                f"{len(self.losses)} training runs cannot tell the 99.9 % quantile of losses; give at least {FEWEST}"
            )
        return float(np.quantile(self.losses, RARE, method="higher"))

    def save(self, path: str | Path) -> None:
        """Write it to a JSON file, whole or not at all."""
        with NewFile(path, replace=True) as half:
            half.write_text(json.dumps(self.__dict__, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file written by `save`."""
        try:
            return cls(**_Held.model_validate_json(Path(path).read_text(encoding="utf-8")).model_dump())
        except (OSError, ValueError) as error:  # pydantic's and unicode's are ValueErrors
            said = str(error).splitlines()[0]
            raise InputError(
                f"{path}: not a record of training ({said}); make one with ecosim.resilience.Training"
            ) from None


class _Held(BaseModel):
    """What a file of training must hold: anybody may have written it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)

    kinds: tuple[str, ...]
    channels: tuple[str, ...]
    losses: tuple[Annotated[float, Field(ge=-MOST_GAIN, le=1)], ...]
    frozen: str | None
    opened: tuple[str, ...]


def frozen_part(scenario: Scenario) -> str:
    """Digest of all of a scenario but its shocks, its name, its seed and how long it lives."""
    return scenario.with_({"shocks": [], "name": "frozen", "seed": 0, "days": 1}).digest()


def expected(scenario: Scenario) -> tuple[str, ...]:
    """Words of what agents prepare for: the chapters of their continuity plans."""
    parts: list[Any] = list(scenario.mechanisms)
    return tuple(word for part in parts for word in getattr(part, "scenarios", ()))


def faults(shock: Shock, scenario: Scenario, training: Training) -> list[str]:
    """Why a shock cannot be a black swan here, known before it is opened; empty where it may be."""
    found = []
    if len(_shocks(scenario)) > 1:
        found.append("other shocks strike beside it, so what it costs cannot be told apart")
    if shock.kind in training.kinds:
        found.append(f"its type {shock.kind} was trained on")
    words = [word for word in expected(scenario) if word.lower() in f"{shock.kind} {shock.label}".lower()]
    if words:
        found.append(f"agents have a plan for it ({', '.join(words)})")
    used = sorted(set(shock.may_write()) & set(training.channels))
    if used:
        found.append(f"it enters by a channel that was used in training ({', '.join(used)})")
    if not shock.may_write():
        found.append("its class does not say which channels it writes to (writes)")
    if training.frozen is None:
        found.append("nothing was frozen before it was opened (Training.freeze)")
    elif training.frozen != frozen_part(scenario):
        found.append("the economy, the habits or the policies were changed after they were frozen")
    if training.opened and digest(scenario) not in training.opened:
        found.append("the seal was broken before, by another scenario")
    return found


def digest(scenario: Scenario) -> str:
    """What a seal remembers of a scenario that was opened: the same one may be lived again, no other."""
    return hashlib.sha256(scenario.to_yaml().encode()).hexdigest()


def open_seals(scenario: Scenario) -> dict[str, float]:
    """Before the first day: refuse what calls itself a black swan and cannot be one, and note that its seal is broken.

    Returns the loss that each must exceed, by name.
    """
    found: dict[str, float] = {}
    for at, shock in enumerate(_shocks(scenario)):
        if shock.tag != BLACK:
            continue
        where = f"shocks.{at}.tag"
        if shock.training is None:
            raise InputError(
                f"{where}: {BLACK} is earned, not claimed; name the record of what was trained on (training: FILE, "
                f"made with ecosim.resilience.Training), or call it {GREY}"
            )
        path = _path(scenario, shock.training)
        training = Training.load(path)
        found[shock.label] = training.quantile()
        wrong = faults(shock, scenario, training)
        if wrong:
            raise InputError(f"{where}: {shock.label} is no {BLACK}: {'; '.join(wrong)}; call it {GREY} or {STRESS}")
        if digest(scenario) not in training.opened:
            replace(training, opened=(*training.opened, digest(scenario))).save(path)
    return found


def tags(scenario: Scenario, loss: float, rare: dict[str, float]) -> dict[str, dict[str, str]]:
    """After a run that lost a share of output: what each shock with a tag claimed to be, and what it is.

    ``rare`` is what `open_seals` returned before the run.
    """
    found = {}
    for shock in _shocks(scenario):
        if not shock.tag:
            continue
        is_one = GREY if shock.tag == BLACK and not loss > rare[shock.label] else shock.tag
        found[shock.label] = {"claimed": shock.tag, "is": is_one}
    return found


def _path(scenario: Scenario, name: str) -> Path:
    return Path(scenario._origin.base_dir or ".") / name


def _shocks(scenario: Scenario) -> list[Any]:
    return list(scenario.shocks)
