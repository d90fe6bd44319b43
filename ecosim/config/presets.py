"""Profiles: what is usual for a trade, a role or a community, put in place of defaults that a scenario leaves alone."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from ecosim.calibration.places import region_names
from ecosim.calibration.profiles import FOLDER, PROFILES
from ecosim.config.errors import Problem, ScenarioError, among
from ecosim.config.kinds import KindError, address, find, known
from ecosim.config.source import parse, read_text
from ecosim.config.words import explained
from ecosim.mechanisms.mechanism import Mechanism
from ecosim.part import Part
from ecosim.spread import ROLES, Spread, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike

    from ecosim.config.scenario import Scenario

#: What each profile is called in `Spread.by`, where it is of sectors or of a role.
OF_FIRMS = {name.lower(): name for name in (*PROFILES, *ROLES)}

#: Other medians than the default, by what they are for, for each parameter: ``finance.cash_days``.
type Medians = dict[str, dict[str, float]]


class Usual(Part):
    """What is usual for one parameter in one profile, and how that is known."""

    value: float
    """Median of the profile's firms, in place of the parameter's own."""
    unit: str
    """The parameter's unit, repeated for the reader; another one is refused."""
    source: str = Field(min_length=1)
    """Where the value is from; ``assumption`` where no source is known."""
    why: str = ""
    """What stands for an assumption."""
    sectors: dict[str, float] = Field(default_factory=dict)
    """Medians of single sectors, by name or by words in it: ``"*real estate*"``."""


class Preset(Part):
    """A profile: what it stands for, and the parameters in which its firms differ from others."""

    about: str = Field(min_length=1)
    """The profile in a sentence."""
    values: dict[str, Usual]
    """What is usual, by parameter: ``finance.cash_days``, or ``economy.inventory_days``."""


def names() -> tuple[str, ...]:
    """Every profile there is a preset for."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.yaml")))


def of_firms() -> tuple[str, ...]:
    """Profiles of sectors and roles: they find their firms by themselves."""
    return tuple(name for name in names() if name in OF_FIRMS)


def of_communities() -> tuple[str, ...]:
    """Profiles of customers: somebody must say which community has them."""
    return tuple(name for name in names() if name not in OF_FIRMS)


@cache
def preset(name: str) -> Preset:
    """Read the profile of a name."""
    return read(FOLDER / f"{name}.yaml")


def read(path: str | PathLike[str]) -> Preset:
    """Read a file with a profile.

    Raises ScenarioError with every problem at once, each with its line: a parameter that does not exist or that cannot
    differ between firms, a value out of its range, another unit.
    """
    document = parse(read_text(path), str(path))
    data = document.root.plain()
    try:
        found = Preset.model_validate(data, strict=True)
    except ValidationError as error:
        raise explained(error, Preset, data if isinstance(data, dict) else {}, document) from None
    problems = [*document.problems]
    for parameter, usual in found.values.items():
        for field, message in _wrong(parameter, usual):
            line, column = document.place(("values", parameter, *field), key=not field)
            where = ".".join(("values", parameter, *field))
            problems.append(Problem(str(path), line, column, where, message, usual))
    if problems:
        raise ScenarioError(problems)
    return found


def _wrong(parameter: str, usual: Usual) -> Iterator[tuple[tuple[str, ...], str]]:
    """What cannot be right about a line of a preset, each with the field it is about."""
    kind, _, name = parameter.partition(".")
    try:
        part = find("economy", "table") if kind == "economy" else find("mechanisms", kind, allow_code=False)
    except KindError:
        kinds = ("economy", *known("mechanisms"))
        yield (), f"no mechanism is called {kind!r}; {among(kind, kinds, 'parts with parameters')}"
        return
    able = varying(part)
    if name not in able:
        does = "cannot differ between firms" if name in part.model_fields else "does not exist"
        yield (), f"{name!r} {does}; {among(name, able, f'parameters of {kind} that can')}"
        return
    extra: Any = part.model_fields[name].json_schema_extra
    if usual.unit != extra["unit"]:
        yield ("unit",), f"{usual.unit!r} is not the unit of {parameter}; give it in {extra['unit']}"
    levels = {("value",): usual.value} | {("sectors", words): value for words, value in usual.sectors.items()}
    for field, value in levels.items():
        try:
            within(part, name, value)
            _by(part, name, {"retail": value})
        except ValidationError as error:
            yield field, str(error.errors()[0]["ctx"]["error"])
        except ValueError as error:
            yield field, str(error)


def varying(part: type[Part]) -> list[str]:
    """Parameters of a part that may differ between firms."""
    return [name for name, field in part.model_fields.items() if Spread in getattr(field.annotation, "__args__", ())]


def medians(profiles: tuple[str, ...], communities: Mapping[str, str]) -> Medians:
    """What the chosen profiles say, by parameter, as `Spread` takes it.

    ``communities`` gives the profile of the customers of some regions.
    """
    found: Medians = {}
    places = [(name, OF_FIRMS[name]) for name in profiles] + [(name, region) for region, name in communities.items()]
    for name, place in places:
        for parameter, usual in preset(name).values.items():
            found.setdefault(parameter, {}).update({place: usual.value, **usual.sectors})
    return found


def refuse_unknown(scenario: Scenario) -> None:
    """Refuse profiles that do not exist or are of another sort, and regions that the economy does not have."""
    asked = [] if isinstance(scenario.profiles, bool) else scenario.profiles
    for key, wanted, sort in (
        ("profiles", asked, of_firms()),
        ("communities", scenario.communities.values(), of_communities()),
    ):
        for name in wanted:
            if name not in sort:
                raise ValueError(f"{key}: {_no_profile(name, key, sort)}")
    regions = getattr(scenario.economy, "regions", None)
    known = () if regions is None else region_names(regions)
    for region in scenario.communities if known else ():
        if region not in known:
            raise ValueError(f"communities: no region is named {region!r}; there are {', '.join(known)}")


def _no_profile(name: str, key: str, sort: tuple[str, ...]) -> str:
    if name in of_communities():
        return f"{name!r} is of communities; say whose, for example communities: {{Riverside: {name}}}"
    if name in of_firms():
        return f"{name!r} is of firms; name it in profiles, or give {' or '.join(sort)}"
    return f"there is no profile {name!r}; {among(name, sort, f'{key} there are')}"


def applied(scenario: Scenario) -> dict[str, Any]:
    """Economy and mechanisms of a scenario with the medians of its profiles where it gives no value of its own."""
    chosen = scenario.profiles
    profiles = (of_firms() if chosen else ()) if isinstance(chosen, bool) else chosen
    return _parts(scenario, medians(profiles, scenario.communities))


def undone(scenario: Scenario) -> dict[str, Any]:
    """Economy and mechanisms of a scenario with defaults again where it gives no value of its own."""
    return _parts(scenario, {})


def _parts(scenario: Scenario, told: Medians) -> dict[str, Any]:
    on = frozenset(getattr(part, "kind", "") for part in scenario.mechanisms)
    parts = [_with(part, address(type(part)), told, on) for part in scenario.mechanisms]
    return {"economy": _with(scenario.economy, "economy", told, on), "mechanisms": tuple(parts)}


def _with(part: Part, kind: str, told: Medians, on: frozenset[str]) -> Part:
    """A part with other medians in the parameters that were not set; what nobody set stays unset.

    What would contradict the mechanisms that are ``on`` is left out: a cost means nothing where nobody has money.
    """
    default = {name: _by(type(part), name, {}) for name in varying(type(part)) if name not in part.model_fields_set}
    values = {name: _by(type(part), name, told.get(f"{kind}.{name}", {})) for name in default}
    while any(getattr(part, name) != value for name, value in values.items()):
        made = type(part).model_construct(_fields_set=part.model_fields_set, **{**vars(part), **values})
        name = _contradicted(made, on)
        if values.get(name) == default.get(name):  # nothing is wrong, or nothing that a profile says
            return made
        values[name] = default[name]
    return part


def _contradicted(part: Part, on: frozenset[str]) -> str:
    """Name of the parameter that contradicts other mechanisms, empty where none does."""
    wrong = part.check(on) if isinstance(part, Mechanism) else None
    return (wrong or "").partition(":")[0]


def _by(part: type[Part], name: str, by: Mapping[str, float]) -> Any:
    """A parameter's default, with other medians for some firms."""
    default = part.model_fields[name].get_default(call_default_factory=True)
    if not by:
        return default
    if isinstance(default, Spread):
        return Spread.model_validate({**default.model_dump(), "by": {**default.by, **by}})
    return Spread(law="normal", median=default, by=dict(by))
