"""Diem et al. (2022): the Economic Systemic Risk Index beside the authors' own program."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ecosim.published import esri
from ecosim.validation.authors import printed
from ecosim.validation.check import Check

SOURCE = "Diem et al. (2022), their program"


def diem() -> list[Check]:
    """Compute the index of each case that the authors ran; take the largest difference of a scenario."""
    found = []
    for name, case in printed("esri").items():
        risk, theirs = esri(**_arguments(case["inputs"])), case["outputs"]
        pairs = ((risk.esri, "ESRI"), (risk.downstream, "ESRI_d"), (risk.upstream, "ESRI_u"))
        worst = max(float(np.abs(ours.to_numpy() - np.array(theirs[key])).max()) for ours, key in pairs)
        what = f"{name}, largest difference of a scenario"
        found.append(Check.at_most(what, 1e-9, worst, 3 * len(risk.esri), SOURCE, tests="library"))
    return found


def _arguments(said: dict[str, Any]) -> dict[str, Any]:
    firms = pd.DataFrame({"sector": [str(label) for label in said["p"]]})
    if said["sigma_substitution"]:
        firms["market"] = said["p_market"]
    labels = said["ess_labels"]
    return {
        "firms": firms,
        "links": pd.DataFrame(said["edges"], columns=["supplier", "client", "flow"]),
        "essential": pd.DataFrame(said["ess"], index=labels, columns=labels),
        "failures": None if isinstance(said["psi"], str) else np.array(said["psi"]).T,
        "tolerance": said["eps"],
        "convergence": said["conv_type"],
    }
