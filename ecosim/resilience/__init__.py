"""Which structures are fragile, robust, resilient or antifragile: the preregistered rule and every metric beside it.

`verdict` and `compare` live a scenario beside its twin, `respond` makes the responses that they rest on. All else works
on arrays of responses, and knows nothing of how they were made:

>>> import numpy as np
>>> from ecosim.resilience import classify
>>> x = np.linspace(0, 800, 9)  # firm-days of capacity lost
>>> noise = np.random.default_rng(1).normal(0, 0.02, (200, 9))
>>> d = -0.3 * (x / 800) ** 2 + noise
>>> classify(x, d, noise).label
'FRAGILE'

Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecosim.resilience.atlas_run import Atlas, atlas
    from ecosim.resilience.atlas_spec import AtlasSpec
    from ecosim.resilience.comparison import Comparison, compare
    from ecosim.resilience.covariates import Covariate, network_covariates, schneider_r
    from ecosim.resilience.curves import curvature, inoculation_gain, jensen_gap, relative_response, ruin
    from ecosim.resilience.estimate import Estimate, mean_interval, share_interval
    from ecosim.resilience.flow import FlowOrder, flow_order
    from ecosim.resilience.held_out import HeldOut, leave_one_type_out
    from ecosim.resilience.inequality import gini, herfindahl, theil
    from ecosim.resilience.judged import Judgement, verdict
    from ecosim.resilience.looks import Look, sequential
    from ecosim.resilience.pairwise import Dominance, dominance
    from ecosim.resilience.recovery import (
        Recovery,
        Threshold,
        days_to_recover,
        depth,
        ecological_resilience,
        loss_area,
        recovery_of,
        time_to_recover,
    )
    from ecosim.resilience.responses import Responses
    from ecosim.resilience.rule import classify
    from ecosim.resilience.several import correct, holm
    from ecosim.resilience.survival import at_risk, time_to_survive
    from ecosim.resilience.twins import respond
    from ecosim.resilience.verdicts import Margins, Verdict
    from ecosim.resilience.warning import EarlyWarning, early_warning
    from ecosim.swans import Training

_HOMES = {
    "Atlas": "atlas_run",
    "AtlasSpec": "atlas_spec",
    "Comparison": "comparison",
    "Covariate": "covariates",
    "Dominance": "pairwise",
    "EarlyWarning": "warning",
    "Estimate": "estimate",
    "HeldOut": "held_out",
    "FlowOrder": "flow",
    "Judgement": "judged",
    "Look": "looks",
    "Margins": "verdicts",
    "Recovery": "recovery",
    "Responses": "responses",
    "Threshold": "recovery",
    "Training": ".swans",  # one floor down, where runs check it
    "Verdict": "verdicts",
    "at_risk": "survival",
    "atlas": "atlas_run",
    "classify": "rule",
    "compare": "comparison",
    "correct": "several",
    "curvature": "curves",
    "days_to_recover": "recovery",
    "depth": "recovery",
    "dominance": "pairwise",
    "early_warning": "warning",
    "ecological_resilience": "recovery",
    "flow_order": "flow",
    "gini": "inequality",
    "herfindahl": "inequality",
    "holm": "several",
    "inoculation_gain": "curves",
    "jensen_gap": "curves",
    "leave_one_type_out": "held_out",
    "loss_area": "recovery",
    "mean_interval": "estimate",
    "network_covariates": "covariates",
    "recovery_of": "recovery",
    "relative_response": "curves",
    "respond": "twins",
    "ruin": "curves",
    "schneider_r": "covariates",
    "sequential": "looks",
    "share_interval": "estimate",
    "theil": "inequality",
    "time_to_recover": "recovery",
    "time_to_survive": "survival",
    "verdict": "judged",
}

__all__ = [
    "Atlas",
    "AtlasSpec",
    "Comparison",
    "Covariate",
    "Dominance",
    "EarlyWarning",
    "Estimate",
    "FlowOrder",
    "HeldOut",
    "Judgement",
    "Look",
    "Margins",
    "Recovery",
    "Responses",
    "Threshold",
    "Training",
    "Verdict",
    "at_risk",
    "atlas",
    "classify",
    "compare",
    "correct",
    "curvature",
    "days_to_recover",
    "depth",
    "dominance",
    "early_warning",
    "ecological_resilience",
    "flow_order",
    "gini",
    "herfindahl",
    "holm",
    "inoculation_gain",
    "jensen_gap",
    "leave_one_type_out",
    "loss_area",
    "mean_interval",
    "network_covariates",
    "recovery_of",
    "relative_response",
    "respond",
    "ruin",
    "schneider_r",
    "sequential",
    "share_interval",
    "theil",
    "time_to_recover",
    "time_to_survive",
    "verdict",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ecosim.resilience' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
