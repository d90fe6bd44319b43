"""What an atlas is: structures, shocks and habits, how often each cell is lived, and what resilience costs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from ecosim.config import Problem, Scenario, ScenarioError
from ecosim.config.kinds import chosen
from ecosim.config.source import parse, read_text
from ecosim.config.words import explained
from ecosim.errors import InputError
from ecosim.found import shipped
from ecosim.networks.rewired import Rewired
from ecosim.part import Part
from ecosim.resilience.blocks import refuse_leaks
from ecosim.shocks.hit import Hit

if TYPE_CHECKING:
    from os import PathLike

    from ecosim.economies.economy import Economy as AnEconomy
    from ecosim.mechanisms.mechanism import Mechanism
    from ecosim.networks.wiring import Network as ANetwork

    type Mechanisms = tuple[Mechanism, ...]
    type Shocks = tuple[Hit, ...]
else:
    AnEconomy = chosen("economy")
    ANetwork = chosen("network")
    Mechanisms = tuple[chosen("mechanisms"), ...]
    Shocks = tuple[chosen("shocks"), ...]


class ShockOf(Part):
    """A shock of the atlas: one or more shocks of a scenario, all at the same share of their severity."""

    title: str = ""
    """How the map calls it; its name by default."""
    of: Shocks = Field(min_length=1)
    """What happens, at full strength."""

    @model_validator(mode="after")
    def _with_entries(self) -> Self:
        for at, shock in enumerate(self.of):
            if not isinstance(shock, Hit):
                raise ValueError(
                    f"of.{at}: {shock.kind} keeps no entries of whom it strikes; use a kind that hits firms"
                )
        labels = [shock.label for shock in self.of]
        if len(set(labels)) < len(labels):
            raise ValueError(f"of: two are called {labels[0]!r}; give them different names")
        return self


class Habit(Part):
    """What firms do about trouble, and what part of its cost no buffer and no contract shows."""

    title: str = ""
    """How the map calls it; its name by default."""
    inventory_days: float = Field(default=15.0, ge=1, le=365)
    """Stock of inputs, days of use."""
    headroom: float = Field(default=0.0, ge=0, le=10)
    """Spare capacity, share of usual output."""
    mechanisms: Mechanisms = ()
    """What firms do beyond the published core; only mechanisms that keep to a firm's own region."""
    practice: float = Field(default=0.0, ge=0, le=1)
    """What plans, drills, meetings and lessons cost, share of output."""


class Prices(Part):
    """What it costs to be prepared, in shares of money a year or a day; all of them assumptions."""

    stock: float = Field(default=0.25, ge=0, le=10)
    """Carrying a stock for a year, share of its value."""
    spare_capacity: float = Field(default=0.15, ge=0, le=10)
    """Holding capacity that is not used, share of what it could make."""
    spare_link: float = Field(default=0.01, ge=0, le=10)
    """A contract with a second source, share of what the main one delivers."""


class AtlasSpec(Part):
    """An atlas, as written in a YAML file. See docs/atlas.md."""

    version: Literal[1] = 1
    """Version of this format."""
    name: str = Field(default="atlas", min_length=1, max_length=200)
    """What the atlas is called."""
    economy: AnEconomy
    """The firms, the same in every structure; stocks and headroom come from the habits."""
    suppliers: int = Field(default=5, ge=1, le=1000)
    """Suppliers of a firm, the same in every structure."""
    days: int = Field(default=120, ge=10, le=100_000)
    """Length of a run, days."""
    replicates: int = Field(default=240, ge=2, le=1_000_000)
    """Replicates of each cell, with common random numbers."""
    intensities: int = Field(default=9, ge=5, le=101)
    """Steps of a shock from none to its full strength, an odd number."""
    seed: int = Field(default=1, ge=0, le=2**63 - 1)
    """Start of all draws."""
    structures: dict[str, ANetwork] = Field(min_length=2)
    """Who supplies whom, by name."""
    shocks: dict[str, ShockOf] = Field(min_length=1)
    """What goes wrong, by name."""
    habits: dict[str, Habit] = Field(min_length=1)
    """What firms do, by name."""
    prices: Prices = Prices()
    """What being prepared costs."""
    equal_cost: str | None = None
    """Habit whose cost every habit is given in the second table: its buffers stay, those of the others are rescaled."""
    rewired: tuple[str, ...] = ()
    """Habits with which every structure is also lived with its pattern shaken out and all degrees kept."""
    looked_at: int = Field(default=4, ge=1, le=1000)
    """Replicates of each structure whose network is measured."""
    nulls: int = Field(default=30, ge=2, le=10_000)
    """Rewired networks of equal degrees that each of those is compared with."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.intensities % 2 == 0:
            raise ValueError(f"intensities: {self.intensities} is even; give an odd number, such as 9")
        for name, network in self.structures.items():
            if "suppliers" in network.model_fields_set and network.suppliers != self.suppliers:
                raise ValueError(
                    f"structures.{name}.suppliers: {network.suppliers} differs from suppliers of the atlas, "
                    f"{self.suppliers}; structures compare like with like, so drop it"
                )
        for what in ("structures", "shocks", "habits"):
            for name in getattr(self, what):
                if not name.strip() or set(name) & set("./\\"):  # names of cells are names of files, joined by dots
                    raise ValueError(f"{what}: {name!r} cannot name a file of a cell; use no dot and no slash")
        if self.equal_cost is not None and self.equal_cost not in self.habits:
            raise ValueError(f"equal_cost: no habit is called {self.equal_cost!r}; there are {', '.join(self.habits)}")
        for at, name in enumerate(self.rewired):
            if name not in self.habits:
                raise ValueError(f"rewired.{at}: no habit is called {name!r}; there are {', '.join(self.habits)}")
        for name in self.habits:
            try:
                refuse_leaks(self.scenario(next(iter(self.structures)), name), f"habits.{name}")
            except InputError as error:
                raise ValueError(str(error)) from None
        return self

    def network(self, structure: str, *, rewired: bool = False) -> ANetwork:
        """Who supplies whom in a structure, or in its null of equal degrees."""
        network = self.structures[structure].model_copy(update={"suppliers": self.suppliers})
        return Rewired(of=network, suppliers=self.suppliers) if rewired else network

    def scenario(
        self, structure: str, habit: str, shock: str | None = None, *, scale: float = 1.0, rewired: bool = False
    ) -> Scenario:
        """Scenario of a cell, its buffers (stock above a day, and headroom) ``scale`` times those of the habit."""
        of = self.habits[habit]
        # Production needs a day of stock, so that day is no buffer.
        buffers = {"inventory_days": 1.0 + scale * (of.inventory_days - 1.0), "headroom": scale * of.headroom}
        return Scenario(
            name=f"{structure}, {habit}" + (f", {shock}" if shock else ""),
            days=self.days,
            seed=self.seed,
            economy=self.economy.model_copy(update=buffers),
            network=self.network(structure, rewired=rewired),
            mechanisms=of.mechanisms,
            shocks=self.shocks[shock].of if shock else (),
        )

    def digest(self) -> str:
        """SHA-256 of everything that changes a number of a cell: titles do not, nor does which nulls are lived."""
        said = {"__all__": {"title"}}
        values = self.model_dump(mode="json", exclude={"name": True, "rewired": True, "shocks": said, "habits": said})
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    def quick(self) -> AtlasSpec:
        """Return a small part of it that takes seconds: it shows how, and says nothing (too few replicates)."""

        def first(of: dict[str, Any], many: int) -> dict[str, Any]:
            return dict(list(of.items())[:many])

        habits = first(self.habits, 2)
        return self.model_copy(
            update={
                "name": f"{self.name}, quick",
                "structures": first(self.structures, 3),
                "shocks": first(self.shocks, 2),
                "habits": habits,
                "equal_cost": next(iter(habits)) if self.equal_cost else None,
                "rewired": tuple(habits)[:1] if self.rewired else (),
                "replicates": 4,
                "intensities": 5,
                "looked_at": 1,
                "nulls": 2,
            }
        )


# --- files -----------------------------------------------------------------------------------------------------------


def atlases() -> dict[str, Path]:
    """Atlases that come with ecosim, by name."""
    folder = next(iter(shipped().values()), Path()).parent / "atlases"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load(named: str | PathLike[str] = "default", *, allow_code: bool = True) -> AtlasSpec:
    """Atlas in a YAML file, or the shipped one of that name.

    Raises ScenarioError with every problem, each with file, line and column.
    """
    path, known = Path(named), atlases()
    if not path.is_file():
        if (
            path.stem not in known
            or path.suffix not in {"", ".yaml"}
            or path.parent not in {Path(), Path("configs/atlases")}
        ):
            raise InputError(f"{named}: no such file; give the YAML file of an atlas, or one of {', '.join(known)}")
        path = known[path.stem]
    return from_yaml(read_text(path), name=str(path), allow_code=allow_code, title=path.stem)


def from_yaml(text: str, *, name: str = "<text>", allow_code: bool = True, title: str = "atlas") -> AtlasSpec:
    """Atlas written in YAML 1.2; ``title`` names it where it does not name itself."""
    document = parse(text, name)
    data = document.root.plain()
    if not isinstance(data, dict):
        message = "not made of keys; an atlas has 'economy:', 'structures:', 'shocks:' and 'habits:'"
        raise ScenarioError([Problem(name, document.root.line, document.root.column, "", message)])
    given = {"name": title, **data}
    try:
        spec = AtlasSpec.model_validate(given, context={"base_dir": None, "allow_code": allow_code})
    except ValidationError as error:
        raise explained(error, AtlasSpec, given, document, allow_code=allow_code) from None
    if document.problems:
        raise ScenarioError(document.problems)
    return spec
