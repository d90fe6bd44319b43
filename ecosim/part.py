"""The common shape of everything a scenario is made of: a frozen, checked, named set of parameters."""

from pydantic import BaseModel, ConfigDict


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
