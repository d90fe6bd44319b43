"""The study as a JSON schema, so that editors complete keys and mark mistakes while one types."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from ecosim.config import schema as of_scenario
from ecosim.config.editors import DIALECT
from ecosim.study.design import KINDS, Full, LatinHypercube, Morris, OneAtATime, Sobol, Table
from ecosim.study.factors import Factor
from ecosim.study.spec import Limits, Stop, StudySpec, Target

DESIGNS = (Full, OneAtATime, LatinHypercube, Sobol, Morris, Table)
REF = "#/$defs/{}"


def schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a study, with that of the scenario in it."""
    parts = (*DESIGNS, Factor, Limits, Stop, Target)
    _, merged = models_json_schema([(part, "validation") for part in parts], ref_template="#/$defs/{model}")
    definitions: dict[str, Any] = merged["$defs"]
    definitions["Table"]["properties"].pop("frame", None)
    for part in DESIGNS:
        definitions[part.__name__]["required"] = ["kind"]
    scenario = of_scenario()
    definitions |= scenario.pop("$defs")
    scenario.pop("$schema", None)
    definitions["Scenario"] = scenario
    value: dict[str, Any] = {"type": ["number", "string", "boolean", "object", "array", "null"]}
    shapes: dict[str, dict[str, Any]] = {
        "version": {"const": 1},
        "name": {"type": "string", "minLength": 1, "maxLength": 200},
        "scenario": {"oneOf": [{"type": "string"}, {"$ref": REF.format("Scenario")}]},
        "set": {"type": "object"},
        "factors": {
            "type": "object",
            "additionalProperties": {
                "oneOf": [{"type": "array", "items": value, "minItems": 1}, {"$ref": REF.format("Factor")}]
            },
        },
        "design": {"oneOf": [{"enum": list(KINDS)}, *({"$ref": REF.format(part.__name__)} for part in DESIGNS)]},
        "replicates": {"type": "integer", "minimum": 1, "maximum": 1_000_000},
        "outcomes": {"type": "array", "items": {"type": "string"}},
        "series": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "stop": {"$ref": REF.format("Stop")},
        "limits": {"$ref": REF.format("Limits")},
        "targets": {"type": "object", "additionalProperties": {"$ref": REF.format("Target")}},
        "waves": {"type": "integer", "minimum": 1, "maximum": 50},
    }
    fields = StudySpec.model_fields
    return {
        "$schema": DIALECT,
        "title": "Study",
        "type": "object",
        "additionalProperties": False,
        "required": ["scenario"],
        "properties": {name: {"description": fields[name].description or "", **shapes[name]} for name in fields},
        "$defs": definitions,
    }
