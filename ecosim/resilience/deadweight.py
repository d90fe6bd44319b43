"""Deadweight: what policies spent on firms that would have come through without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecosim.errors import InputError
from ecosim.state import CLOSES

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.result import Result


def deadweight(helped: Result, unaided: Result) -> pd.DataFrame:
    """Share of each policy's spending that went to firms that came through without it, a row a policy.

    ``unaided`` is the same scenario and seed with the same shocks and no policies: there, and not in the undisturbed
    twin, one sees who would have needed help. A firm came through if it neither closed nor fell below half of its usual
    output there. Columns ``spent`` (less what was returned), ``deadweight`` (of it, currency units), ``percent``.

    Raises InputError where one is not the other without policies.
    """
    if helped.policies is None:
        raise InputError(f"{helped.scenario.name}: policies: there are none, so nothing was spent")
    if helped.scenario.with_({"policies": []}) != unaided.scenario:
        raise InputError(
            "unaided is not the same scenario without policies; live scenario.with_({'policies': []}), same seed"
        )
    closed = set(unaided.events.loc[unaided.events["event"].str.startswith(CLOSES), "firm"])
    firms = unaided.firms
    well = set(firms.loc[(firms["failed_on"] < 0) & ~firms["firm"].isin(closed), "firm"])
    table = helped.policies.assign(spent=lambda each: each["amount"] - each["returned"])
    table["deadweight"] = table["spent"].where(table["firm"].isin(well), 0.0)
    policies: tuple[Any, ...] = helped.scenario.policies
    found = table.groupby("policy", sort=False)[["spent", "deadweight"]].sum()
    found = found.reindex([policy.label for policy in policies], fill_value=0.0)
    found["percent"] = 100.0 * found["deadweight"] / found["spent"].where(found["spent"] > 0.0)
    return found
