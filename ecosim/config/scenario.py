"""A scenario: everything a run needs besides the code, as one frozen, checked value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    StrictBool,
    ValidationError,
    model_validator,
)

from ecosim.config import written
from ecosim.config.edits import Edit
from ecosim.config.errors import ScenarioError, refuse
from ecosim.config.kinds import chosen, plain_number
from ecosim.config.source import parse, read_text
from ecosim.config.words import explained
from ecosim.part import Part

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from ecosim.economies.economy import Economy as AnEconomy
    from ecosim.networks.wiring import Network as ANetwork

    type Mechanisms = tuple[Part, ...]
    type Shocks = tuple[Part, ...]
    type Policies = tuple[Part, ...]
    type Metrics = tuple[Part, ...]
else:
    AnEconomy = chosen("economy")
    ANetwork = chosen("network")
    Mechanisms = tuple[chosen("mechanisms"), ...]
    Shocks = tuple[chosen("shocks"), ...]
    Policies = tuple[chosen("policies"), ...]
    Metrics = tuple[chosen("metrics"), ...]


@dataclass(frozen=True)
class Origin:
    """Where a scenario came from. All origins are equal: the same scenario read elsewhere is the same scenario."""

    base_dir: str | None = field(default=None, compare=False)
    allow_code: bool = field(default=True, compare=False)


class Scenario(Part):
    """One economy, its network, what happens to it, and how long it is watched."""

    name: str = Field(default="ecosystem", min_length=1, max_length=200)
    """What the scenario is called in tables and figures."""
    days: Annotated[int, BeforeValidator(plain_number)] = Field(default=365, ge=1, le=100_000, strict=True)
    """Length of the run, in days."""
    seed: Annotated[int, BeforeValidator(plain_number)] = Field(default=1, ge=0, le=2**63 - 1, strict=True)
    """Start of all random streams: the same seed gives the same run."""
    economy: AnEconomy = Field(default_factory=lambda: _default("table"))
    """Who the firms are and what they need."""
    network: ANetwork = Field(default_factory=lambda: _default("reconstructed"))
    """Who supplies whom."""
    mechanisms: Mechanisms = ()
    """What firms and people do beyond the core day (docs/mechanisms.md)."""
    shocks: Shocks = ()
    """What goes wrong, where and when."""
    policies: Policies = ()
    """What is done about it: aid, subsidies, rules (docs/policies.md)."""
    metrics: Metrics = ()
    """What is measured every day beside the standard metrics."""
    profiles: StrictBool | tuple[str, ...] = False
    """Trades and roles whose usual values take the place of defaults (docs/profiles.md): true for all, or a list of
    manufacturing, services, retail, technology, smb and supplier. A value of your own always wins."""
    communities: dict[str, str] = Field(default_factory=dict)
    """What customers are like in some regions, by name: small_town or city."""

    _origin: Origin = PrivateAttr(default_factory=Origin)

    def model_post_init(self, context: Any, /) -> None:
        """Remember the folder that file names are relative to, and whether code may be named."""
        given = context if isinstance(context, dict) else {}
        self._origin = Origin(given.get("base_dir"), given.get("allow_code", True))

    @model_validator(mode="after")
    def _profiled(self) -> Self:
        """Put what is usual for the chosen profiles in place of defaults."""
        if self.profiles or self.communities:
            from ecosim.config import presets  # it needs numpy, and most scenarios have no profiles

            presets.refuse_unknown(self)
            self.__dict__.update(presets.applied(self))
        return self

    def __hash__(self) -> int:
        """Hash of the values: pydantic's own fails as soon as a part holds a dict."""
        return hash(self.digest())

    @classmethod
    def from_yaml(
        cls, text: str, *, name: str = "<text>", base_dir: str | PathLike[str] | None = None, allow_code: bool = True
    ) -> Self:
        """Scenario written in YAML 1.2.

        File names in it are relative to ``base_dir``. Without ``allow_code``, kinds of the form
        ``package.module:Name`` are refused, so that a stranger's text runs nothing. Raises ScenarioError with
        every problem at once, each with its line and column in ``name``.
        """
        document = parse(text, name)
        data = document.root.plain()
        if not isinstance(data, dict):
            what = "a list" if isinstance(data, list) else "a single value"
            raise refuse("", f"{what}; a scenario is made of keys, for example 'days: 365'", data, file=name)
        context = {"base_dir": None if base_dir is None else str(base_dir), "allow_code": allow_code}
        try:
            scenario = cls.model_validate(data, context=context)
        except ValidationError as error:
            raise explained(error, cls, data, document, allow_code=allow_code) from None
        if document.problems:
            raise ScenarioError(document.problems)
        return scenario

    def with_(self, changes: Mapping[str, object]) -> Self:
        """Another scenario, with the values at some dotted paths changed.

        ``scenario.with_({"network.kind": "ring", "shocks.0.severity": 0.3})``. Where a kind changes, what both
        kinds have stays as it was set, and the rest takes the new kind's defaults. Whole lists may be set, and
        ``shocks.1.kind`` adds a second shock to one. Raises ScenarioError for unknown paths and bad values.
        """
        origin = self._origin
        values = Edit(self._unprofiled(), allow_code=origin.allow_code).apply(changes)
        context = {"base_dir": origin.base_dir, "allow_code": origin.allow_code}
        try:
            return self.model_validate(values, context=context)
        except ValidationError as error:
            raise explained(error, type(self), values, allow_code=origin.allow_code) from None

    def _unprofiled(self) -> Self:
        """The same with defaults where profiles took their place, so that other profiles can be chosen."""
        if not (self.profiles or self.communities):
            return self
        from ecosim.config import presets

        return self.model_copy(update=presets.undone(self))

    def to_yaml(self) -> str:
        """Everything in the scenario, defaults included, as YAML that reads back to an equal scenario.

        Raises ScenarioError where a part holds something that lives in memory only.
        """
        return written.yaml(self)

    def digest(self) -> str:
        """SHA-256 over every value, defaults included: equal scenarios have equal digests, on every machine."""
        return written.digest(self)


def load(path: str | PathLike[str], *, allow_code: bool = True) -> Scenario:
    """Scenario in a YAML file; see `Scenario.from_yaml`. File names in it are relative to its folder."""
    text = read_text(path)
    folder = Path(path).resolve().parent
    return Scenario.from_yaml(text, name=str(path), base_dir=folder, allow_code=allow_code)


def _default(kind: str) -> Any:
    return {"kind": kind}  # validated like any value, so that the kind is imported only when it is used
