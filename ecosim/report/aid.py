"""What policies spent, when, and on whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from ecosim.model import Ecosystem


def accounts(eco: Ecosystem) -> pd.DataFrame | None:
    """A row for each policy and firm that it reached; None where there is no policy.

    ``amount`` is what was spent on the firm and ``returned`` what came back of it, currency units; days are the first
    and the last on which the policy acted on it. A policy that costs nothing has rows, too.
    """
    parts = []
    for policy in _policies(eco):
        kept = eco.world.memory[policy.place]
        rows = np.flatnonzero((kept["first"] >= 0) | (kept["returned"] > 0.0))
        parts.append(
            pd.DataFrame(
                {
                    "policy": np.full(len(rows), policy.label, dtype=object),
                    "firm": np.array(eco.world.plan.names, dtype=object)[rows],
                    "amount": kept["amount"][rows],
                    "returned": kept["returned"][rows],
                    "first_day": kept["first"][rows].astype(np.int64),
                    "last_day": kept["last"][rows].astype(np.int64),
                }
            ).astype({"policy": "str", "firm": "str"})
        )
    return pd.concat(parts, ignore_index=True) if parts else None


def told(eco: Ecosystem) -> list[dict[str, Any]]:
    """Figures of each policy for the summary, in the order of the scenario."""
    world = eco.world
    found = []
    for policy in _policies(eco):
        kept = world.memory[policy.place]
        reached = kept["first"] >= 0
        spent, back = float(kept["amount"].sum()), float(kept["returned"].sum())
        budget = None if policy.budget is None else policy.budget * world.output_at_rest
        found.append(
            {
                "name": policy.label,
                "kind": policy.kind,
                "began_on": int(kept["state"][0]) if kept["state"][0] >= 0 else None,
                "first_day": int(kept["first"][reached].min()) if reached.any() else None,
                "last_day": int(kept["last"][reached].max()) if reached.any() else None,
                "firms": int(reached.sum()),
                "firms_percent": 100.0 * float(reached.mean()),
                "spent": spent,
                "returned": back,
                "days_of_output": spent / world.output_at_rest,
                "budget": budget,
                "budget_percent": 100.0 * (spent - back) / budget if budget else None,
            }
        )
    return found


def sentences(policies: list[dict[str, Any]]) -> list[str]:
    """What the summary says of policies."""
    return [_sentence(policy) for policy in policies]


def _sentence(policy: dict[str, Any]) -> str:
    name = policy["name"]
    if policy["began_on"] is None and not policy["firms"]:
        return f"{name} never began."
    if not policy["firms"]:
        return f"{name} began on day {policy['began_on']} and reached nobody."
    days = f"days {policy['first_day']} to {policy['last_day']}"
    firms = f"{policy['firms']:,} firm{'' if policy['firms'] == 1 else 's'} ({policy['firms_percent']:.1f} %)"
    if policy["spent"] == 0:
        return f"{name} reached {firms} on {days} and cost nothing."
    cap = policy["budget_percent"]
    of = "" if cap is None else f", {cap:.0f} % of its budget"
    back = f", of which {100 * policy['returned'] / policy['spent']:.0f} % came back" if policy["returned"] else ""
    return f"{name} spent {policy['days_of_output']:.2g} days of all output{of} on {firms}, {days}{back}."


def _policies(eco: Ecosystem) -> tuple[Any, ...]:
    found: tuple[Any, ...] = eco.scenario.policies
    return found
