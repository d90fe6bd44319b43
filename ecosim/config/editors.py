"""The scenario as a JSON schema, so that editors complete keys and mark mistakes while one types."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import PydanticOmit

from ecosim.config.kinds import FAMILIES, Family, find, known
from ecosim.config.scenario import Scenario

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaMode, JsonSchemaValue
    from pydantic_core import core_schema

    from ecosim.part import Part

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Writable(GenerateJsonSchema):
    """Leaves out the fields that no text can hold, such as a graph in memory."""

    def handle_invalid_for_json_schema(self, schema: core_schema.CoreSchema, error_info: str) -> JsonSchemaValue:
        raise PydanticOmit


def schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a scenario, with every built-in kind of every family."""
    kinds: dict[str, list[tuple[str, type[Part]]]] = {
        field: [(kind, find(field, kind)) for kind in known(field)] for field in FAMILIES
    }
    classes: list[tuple[type[Any], JsonSchemaMode]] = [(Scenario, "validation")]
    classes += [(part, "validation") for parts in kinds.values() for _, part in parts]
    names, merged = models_json_schema(classes, ref_template="#/$defs/{model}", schema_generator=_Writable)
    definitions: dict[str, Any] = merged["$defs"]
    for field, parts in kinds.items():
        for kind, part in parts:
            _fix_kind(definitions[_name(names[part, "validation"])], kind)
        refs = [names[part, "validation"] for _, part in parts]
        definitions[field] = _family(FAMILIES[field], [kind for kind, _ in parts], refs)
        # A part inside a part is typed by what its family has in common; any kind of the family serves there.
        for base in {base for _, part in parts for base in part.__mro__ if inspect.isabstract(base)}:
            if base.__name__ in definitions:
                definitions[base.__name__] = {"$ref": f"#/$defs/{field}"}
    top: dict[str, Any] = definitions.pop(_name(names[Scenario, "validation"]))
    definitions.pop("Part", None)
    for field, family in FAMILIES.items():
        ref = {"$ref": f"#/$defs/{field}"}
        about = top["properties"][field].get("description", "")
        top["properties"][field] = {"description": about, **({"type": "array", "items": ref} if family.many else ref)}
    return {"$schema": DIALECT, **top, "$defs": definitions}


def _name(ref: JsonSchemaValue) -> str:
    return str(ref["$ref"]).removeprefix("#/$defs/")


def _fix_kind(part: dict[str, Any], kind: str) -> None:
    """Tell the kinds apart by the one key that names them, and ask for it."""
    others = {key: value for key, value in part.get("properties", {}).items() if key != "kind"}
    part["properties"] = {"kind": {"const": kind}, **others}
    part["required"] = ["kind", *(key for key in part.get("required", []) if key != "kind")]


def _family(family: Family, kinds: list[str], refs: list[JsonSchemaValue]) -> dict[str, Any]:
    code = {"type": "string", "pattern": r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$"}
    # An empty enum is no schema, and a family may have no kinds yet.
    alone = [{"enum": kinds, "description": "A kind, all its keys at their defaults."}] if kinds else []
    own = {
        "type": "object",
        "properties": {"kind": code},
        "required": ["kind"],
        "description": "A class of your own, as package.module:Name, and its keys.",
    }
    return {"description": f"A kind of {family.noun}.", "oneOf": [*refs, own, *alone, code]}
