"""Inoue & Todo (2019): the engine beside the authors' own program, day by day."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ecosim.published import inoue_todo as published
from ecosim.validation.authors import printed
from ecosim.validation.check import Check

SOURCE = "Inoue & Todo (2019), their program"
SERIES = {
    "total_production": "total_production",
    "value_added": "value_added",
    "final_consumption": "final_consumption_supplied",
}


def inoue_todo() -> list[Check]:
    """Run each case that the authors' program was run on, and take the largest difference of any day and series."""
    found = []
    for name, case in printed("inoue").items():
        ours, worst, values = published(**_arguments(case["inputs"])), 0.0, 0
        for mine, theirs in SERIES.items():
            days, told = (np.array(column) for column in zip(*case["outputs"][theirs], strict=True))
            difference = np.abs(ours[mine].loc[days] - told) / np.maximum(np.abs(told), 1e-300)
            worst, values = max(worst, float(difference.max())), values + len(days)
        what = f"{name}, largest relative difference of a day"
        found.append(Check.at_most(what, 1e-9, worst, values, SOURCE))
    return found


def _arguments(said: dict[str, Any]) -> dict[str, Any]:
    options = dict(zip(said["options"][::2], said["options"][1::2], strict=True))
    firms = pd.DataFrame(
        {
            "sector": {name: str(sector) for name, sector in said["sector"].items()},
            "final_demand": said["final_consumption"],
            "damage": {name: said["delta0"].get(name, 0.0) for name in said["sector"]},
        }
    )
    links = pd.DataFrame(said["edges"], columns=["supplier", "client", "flow"]).astype({"supplier": str, "client": str})
    return {
        "firms": firms,
        "links": links,
        "days": said["steps"],
        "rationing": int(options["-R"]),
        "inventory_days": float(options.get("-i", 15)),
        "recovery": int(options["-b"]) if "-b" in options else None,
        "recovery_days": float(options.get("-c", 0)),
    }
