"""The common shape of everything a scenario is made of: a frozen, checked, named set of parameters."""

from typing import Any

from pydantic import BaseModel, ConfigDict


def whole(value: object) -> object:
    """Refuse true and 2.0 where one of some whole numbers is meant: Python takes them for 1 and 2."""
    if isinstance(value, bool | float):
        raise ValueError(f"{value!r} is not a whole number; write it as one, such as 2")
    return value


def by_kind(schema: dict[str, Any]) -> None:
    """Make the JSON schema of a part require its kind, where only that tells it from other parts in its place."""
    schema["required"] = [*schema.get("required", []), "kind"]


class Part(BaseModel):
    """Base of every piece of a scenario (economy, network, shock, mechanism, policy, metric).

    A part is its own configuration: its fields are the YAML keys, its docstring is the help text, and it is
    frozen, so that a scenario can be shared, hashed and pickled. Unknown keys and NaN are refused.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=True,
        use_attribute_docstrings=True,
    )
