"""Names become objects here: one file in a family's package is one kind, found by its name."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import inspect
import json
import os
import pkgutil
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, SerializeAsAny, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError

from ecosim.config.allowed import inside, keys
from ecosim.config.errors import among, shown
from ecosim.part import Part

if TYPE_CHECKING:
    from types import ModuleType

    from pydantic_core import InitErrorDetails


@dataclass(frozen=True)
class Family:
    """Where the kinds of one key of a scenario live, and how people call them."""

    package: str
    noun: str
    many: bool


FAMILIES = {
    "economy": Family("ecosim.economies", "economy", many=False),
    "network": Family("ecosim.networks", "network", many=False),
    "mechanisms": Family("ecosim.mechanisms", "mechanism", many=True),
    "shocks": Family("ecosim.shocks", "shock", many=True),
    "policies": Family("ecosim.policies", "policy", many=True),
    "metrics": Family("ecosim.metrics", "metric", many=True),
}

_CODE = re.compile(r"(?P<module>[A-Za-z_][\w.]*):(?P<name>[A-Za-z_][\w.]*)")


type _Path = tuple[str | int, ...]


class KindError(ValueError):
    """A kind that is not known, not allowed, or not a part; the text says what to write instead."""


def wrong(words: str, path: tuple[str | int, ...] = (), value: object = None) -> ValidationError:
    """Make a pydantic error in our own words, which joins the errors of the parts around it."""
    # The words travel as an argument: braces in a user's value would otherwise be read as a template.
    error = PydanticCustomError("ecosim", "{words}", {"words": words})
    details: InitErrorDetails = {"type": error, "loc": path, "input": value}
    return ValidationError.from_exception_data("scenario", [details])


def known(field: str) -> list[str]:
    """Names of the built-in kinds of a family, read from the files without running them."""
    names = []
    for folder in _folders(FAMILIES[field].package):
        for module in pkgutil.iter_modules([folder]):
            file = Path(folder) / f"{module.name}.py"
            if not module.ispkg and file.is_file() and _declares(file, module.name):
                names.append(module.name)
    return sorted(names)


def find(field: str, kind: object, *, allow_code: bool = True) -> type[Part]:
    """Class of a kind. ``kind`` is a built-in name, ``package.module:Name``, or the class itself."""
    family = FAMILIES[field]
    if isinstance(kind, type):
        return _fit(kind, field, kind.__name__)
    if not isinstance(kind, str):
        msg = f"a kind is a name, not {shown(kind)}; {among('', known(field), f'kinds of {family.noun}')}"
        raise KindError(msg)
    if ":" in kind:
        if not allow_code:
            msg = f"'{kind}' names Python code, and this scenario may not run any; {_choice(field, '')}"
            raise KindError(msg)
        return _fit(_imported(kind), field, kind)
    found = _built_in(family.package, kind) if kind in _modules(family.package) else None
    if found is None:
        msg = f"unknown kind of {family.noun} '{kind}'; {_choice(field, kind)}"
        raise KindError(msg)
    return found


def address(part: type[Part]) -> str:
    """Kind that ``find`` resolves to this class: a built-in name, or ``package.module:Name``."""
    package, _, module = part.__module__.rpartition(".")
    if any(family.package == package for family in FAMILIES.values()) and declared(part) == module:
        return module
    return f"{part.__module__}:{part.__qualname__}"


def declared(part: type[BaseModel]) -> str | None:
    """Kind that a class gives itself, if any."""
    field = part.model_fields.get("kind")
    value = field.default if field is not None else getattr(part, "kind", None)
    return value if isinstance(value, str) else None


def chosen(family: str) -> Any:
    """Type of a part whose class the value names; the class is found only when a value is given."""

    def made(value: object, info: ValidationInfo) -> Part:
        return resolve(family, value, info)

    return Annotated[SerializeAsAny[Part], BeforeValidator(made)]


def resolve(field: str, value: object, info: ValidationInfo) -> Part:
    """Part that a value of a scenario stands for: an instance, the name of a kind, or a mapping with a ``kind``."""
    noun = FAMILIES[field].noun
    context: dict[str, Any] = info.context or {}
    if isinstance(value, Part):
        try:
            _fit(type(value), field, type(value).__name__)
        except KindError as error:
            raise wrong(str(error), (), value) from None
        return value
    given: dict[str, object] = {"kind": value} if isinstance(value, str | type) else {}
    if isinstance(value, Mapping):
        given = dict(value)
    elif not given:
        words = "empty" if value is None else f"{shown(value)} is no {noun}"
        raise wrong(f"{words}; give a kind and its keys, for example {{kind: {_example(field)}}}", (), value)
    if given.get("kind") is None:
        raise wrong(f"missing; say which {noun} it is: {_listed(field)}", ("kind",), value)
    kind = given.pop("kind")
    try:
        found = find(field, kind, allow_code=context.get("allow_code", True))
    except KindError as error:
        raise wrong(str(error), ("kind",), kind) from None
    if not context.get("allow_code", True):
        for path, name in _code_inside(given, found):
            msg = f"'{name}' names Python code, and this scenario may not run any; use a built-in kind"
            raise wrong(msg, path, name)
    own = found.model_fields.get("kind")
    if own is not None and own.is_required():
        given["kind"] = kind if isinstance(kind, str) else address(found)
    return _checked(found, given, context)


def _code_inside(value: object, annotation: Any, path: _Path = ()) -> Iterator[tuple[_Path, str]]:
    """Names of code where a part inside a part is chosen: parts resolve those themselves, and may forget to ask."""
    if isinstance(value, str):
        # Where nothing is known of a field, as in a part three deep, suspicion costs less than trust.
        if _CODE.fullmatch(value) and (path[-1] == "kind" or annotation is None or keys(annotation)):
            yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _code_inside(item, inside(annotation, key), (*path, key))
    elif isinstance(value, list | tuple):
        for at, item in enumerate(value):
            yield from _code_inside(item, inside(annotation, at), (*path, at))


def _checked(found: type[Part], given: dict[str, object], context: dict[str, Any]) -> Part:
    """Validate as strictly as text is: "5" is not 5 and True is not 1, while a list stands for a tuple."""
    try:
        text = json.dumps(given, default=_simple)
    except (TypeError, ValueError):  # something that lives in memory only, such as a networkx graph
        part = found.model_validate(given, context=context)
    else:
        try:
            return found.model_validate_json(text, strict=True, context=context)
        except ValidationError as error:
            # A class that looks at its data first makes pydantic forget that the data is JSON, and strictness then
            # refuses every list for a tuple. Only in that case read on leniently, and look for what strictness is for.
            if not any(item["type"] in _SEQUENCES and isinstance(item["input"], list) for item in error.errors()):
                raise
            part = found.model_validate_json(text, context=context)
    for path, value in _bent(given, part):
        raise wrong(_MENDED.format(shown(value)), path, value)
    return part


_SEQUENCES = {"tuple_type", "set_type", "frozen_set_type"}
_MENDED = "{} was taken for a number or for true or false; write it as one, without quotes"


def _bent(given: object, kept: object, path: _Path = ()) -> Iterator[tuple[_Path, object]]:
    """Paths and values that lenient reading turned from text or true into a number, or the other way."""
    if isinstance(given, Mapping):
        for key, value in given.items():
            result = kept.get(key) if isinstance(kept, Mapping) else getattr(kept, str(key), None)
            yield from _bent(value, result, (*path, str(key)))
    elif isinstance(given, list | tuple) and isinstance(kept, list | tuple):
        for at, (value, result) in enumerate(zip(given, kept, strict=False)):
            yield from _bent(value, result, (*path, at))
    elif isinstance(kept, int | float) and _nature(given) != _nature(kept):
        yield path, given


def _nature(value: object) -> str:
    return "text" if isinstance(value, str) else "truth" if isinstance(value, bool) else "number"


def plain_number(value: object) -> Any:
    """Python's number for numpy's, which callers pass without a thought; anything else as it is."""
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return value.item()  # type: ignore[attr-defined]
    return value


def _simple(value: object) -> object:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    number = plain_number(value)
    if number is value:
        raise TypeError(type(value).__name__)
    return number


def _fit(found: object, field: str, name: str) -> type[Part]:
    """Refuse what cannot serve as this family's part."""
    noun = FAMILIES[field].noun
    if not (isinstance(found, type) and issubclass(found, Part)):
        msg = f"'{name}' is not a part; derive the class from ecosim.part.Part"
        raise KindError(msg)
    home = found.__module__.rpartition(".")[0]
    for family in FAMILIES.values():
        if family.package == home and family.noun != noun:
            msg = f"'{name}' is a kind of {family.noun}, not of {noun}"
            raise KindError(msg)
    if inspect.isabstract(found):
        msg = f"'{name}' does not say how to {', '.join(sorted(found.__abstractmethods__))}; define it in the class"
        raise KindError(msg)
    return found


def _imported(kind: str) -> object:
    match = _CODE.fullmatch(kind)
    if match is None:
        msg = f"'{kind}' does not name a class; write it as package.module:Name"
        raise KindError(msg)
    module = _module(match["module"])
    found: object = module
    for step in match["name"].split("."):
        if not hasattr(found, step):
            classes = [name for name, item in vars(module).items() if isinstance(item, type) and issubclass(item, Part)]
            classes = [name for name in classes if vars(module)[name].__module__ == module.__name__]
            msg = f"module '{match['module']}' has no '{match['name']}'; {among(match['name'], classes, 'parts in it')}"
            raise KindError(msg)
        found = getattr(found, step)
    return found


def _module(name: str) -> ModuleType:
    """Import a user's module. The current folder counts, behind everything installed, so it shadows nothing."""
    here = str(Path.cwd())
    top = name.partition(".")[0]
    if here not in sys.path and "" not in sys.path and any((Path(here) / file).exists() for file in (top, f"{top}.py")):
        sys.path.append(here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            msg = f"no module '{name}'; run from the folder that holds {top}.py, or install it, or set PYTHONPATH"
        else:
            msg = f"module '{name}' needs '{error.name}', which is not installed"
        raise KindError(msg) from error
    except (Exception, SystemExit) as error:
        msg = f"module '{name}' fails when imported: {type(error).__name__}: {error}"
        raise KindError(msg) from error


@functools.cache
def _modules(package: str) -> frozenset[str]:
    """Names of all modules of a package, kinds and helpers alike: only these are ever imported."""
    return frozenset(module.name for module in pkgutil.iter_modules(_folders(package)))


@functools.cache
def _built_in(package: str, kind: str) -> type[Part] | None:
    name = f"{package}.{kind}"
    module = importlib.import_module(name)
    found = [
        item
        for item in vars(module).values()
        if isinstance(item, type)
        and issubclass(item, Part)
        and item.__module__ == name
        and not item.__name__.startswith("_")
        and declared(item) == kind
    ]
    if len(found) > 1:
        msg = f"{name} defines {len(found)} public parts of kind '{kind}'; a file holds one"
        raise ImportError(msg)
    return found[0] if found else None


def _folders(package: str) -> list[str]:
    spec = importlib.util.find_spec(package)
    return list(spec.submodule_search_locations or ()) if spec is not None else []


def _declares(file: Path, kind: str) -> bool:
    """Whether a file defines a public class with ``kind: ... = "<its own name>"``."""
    for item in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(item, ast.ClassDef) and not item.name.startswith("_"):
            for line in item.body:
                if (
                    isinstance(line, ast.AnnAssign)
                    and isinstance(line.target, ast.Name)
                    and line.target.id == "kind"
                    and isinstance(line.value, ast.Constant)
                    and line.value.value == kind
                ):
                    return True
    return False


def _listed(field: str) -> str:
    return " | ".join(known(field)) or "package.module:Name"


def _example(field: str) -> str:
    return (known(field) or ["package.module:Name"])[0]


def _choice(field: str, kind: str) -> str:
    return among(kind, known(field), f"kinds of {FAMILIES[field].noun}")
