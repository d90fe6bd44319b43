"""Is the named cause the cause? Take it away, live the same days again, and see how much of the loss goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecosim import provenance
from ecosim.errors import InputError
from ecosim.lineage.cascade import Cascade
from ecosim.lineage.causes import STRUCK_BY
from ecosim.model import Ecosystem

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecosim.blueprint import Blueprint
    from ecosim.result import Result

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Agreement:
    """How much of each firm's loss goes away with the origin that its lineage names.

    ``table`` has a row a firm: firm, lost (currency units), shock, origin (the struck firm that its largest part came
    from), named (share of the firm's loss that the lineage lays to that origin), gone (share that went away when the
    shock was lifted off the origin and left on all others), alone (share that was there when the shock struck the
    origin and nobody else), placebo (another struck firm of about the origin's size), and placebo_gone and
    placebo_alone (the same for that one; NaN where there is no other).

    Where many are struck at once, harm is overdetermined: whoever is spared flour by one miller lacks butter from the
    next, so nothing goes away, although the flour alone would have been enough. So necessity (``gone``) and sufficiency
    (``alone``) are both told (Lewis 1973 on preemption; Halpern & Pearl 2005).
    """

    table: pd.DataFrame

    def sentences(self) -> list[str]:
        """The agreement in words, with how many firms it rests on."""
        table = self.table
        if not len(table):
            return ["No loss is laid to another firm that was struck, so there is none to spare."]
        one = table.iloc[0] if len(table) == 1 else None
        whose = f"{one['firm']}'s" if one is not None else f"each of {len(table)} firms'"
        named = f"{one['origin']}" if one is not None else "the struck firm that each is laid to"
        other = f"{one['placebo']}" if one is not None else "another struck firm of about the same size"
        said = [
            f"Checked by living the same days again for {whose} loss, of which the lineage lays "
            f"{_spread(table['named'])} to {'one struck firm' if one is None else named}:",
            f"  with the shock on {named} alone, {_spread(table['alone'])} of the loss is there;",
            f"  with the shock on all others, {_spread(table['gone'])} of it is gone;",
        ]
        if table["placebo"].ne("").any():
            said.append(
                f"  with it on {other} instead, for comparison, {_spread(table['placebo_alone'])} is there and "
                f"{_spread(table['placebo_gone'])} gone."
            )
        if table["alone"].median() > 0.5 and table["gone"].median() < 0.5:
            said.append(
                f"So {named} was enough to cause it, and not needed: others were struck that would have done it, too."
            )
        return said


def _spread(shares: pd.Series[float]) -> str:
    shares = shares.dropna()
    if len(shares) < 5:
        return f"{', '.join(f'{100.0 * share:.0f}' for share in shares)} %"
    low, middle, high = np.percentile(shares, [25, 50, 75]) * 100.0
    return f"{middle:.0f} % (quartiles {low:.0f} to {high:.0f} %)"


def take_away(
    result: Result, *, firms: int = 20, firm: str | None = None, progress: Callable[[int, int], None] | None = None
) -> Agreement:
    """Check the lineage of the ``firms`` firms that lost most indirectly (or of ``firm`` alone) by living again.

    Each origin and each placebo costs two runs. Raises InputError where no causes were kept, or where the shock is a
    class of one's own that keeps no entries of whom it strikes.
    """
    cascade = Cascade.of(result)
    chosen = _chosen(cascade, firms, firm)
    if not len(chosen):
        return Agreement(chosen)
    frame = result.firms.set_index("firm")
    lost = frame["lost"]
    calm = (frame["produced"] + frame["lost"]).to_numpy()
    row_of = {name: at for at, name in enumerate(frame.index)}
    struck = cascade.entries[cascade.entries["cause"] == STRUCK_BY]
    named = [*zip(chosen["shock"], chosen["origin"], strict=True)]
    chosen["placebo"] = [_placebo(struck, frame, shock, origin) for shock, origin in named]
    others = [*zip(chosen["shock"], chosen["placebo"], strict=True)]
    cases = sorted({case for case in (*named, *others) if case[1]})
    plan: Blueprint | None = None
    produced: dict[tuple[str, str, bool], Array] = {}
    for done, (shock, origin) in enumerate(cases):
        for alone in (False, True):
            plan, produced[shock, origin, alone] = _lived(result, shock, row_of[origin], plan, alone=alone)
        if progress is not None:
            progress(done + 1, len(cases))
    rows = chosen["firm"].map(row_of).to_numpy()
    calm, lost = calm[rows], frame["lost"].to_numpy()[rows]
    for name, of, alone in (
        ("gone", "origin", False), ("alone", "origin", True),
        ("placebo_gone", "placebo", False), ("placebo_alone", "placebo", True),
    ):  # fmt: skip
        made = [
            produced[shock, other, alone][row] if other else np.nan
            for row, shock, other in zip(rows, chosen["shock"], chosen[of], strict=True)
        ]
        still = (calm - np.array(made)) / lost
        chosen[name] = still if alone else 1.0 - still
    return Agreement(chosen)


def _chosen(cascade: Cascade, firms: int, firm: str | None) -> pd.DataFrame:
    """Firms to look at, with the struck firm to which most of their loss is laid."""
    entries = cascade.entries
    origin = entries["root_firm"].astype(str)
    told = entries[((origin != "") & (origin != entries["firm"].astype(str))).to_numpy()]
    if firm is not None:
        told = told[(told["firm"] == firm).to_numpy()]
    sums = told.groupby(["firm", "root", "root_firm"], observed=True)["loss"].sum().reset_index()
    most = sums.sort_values("loss", ascending=False).drop_duplicates("firm").head(firms)
    whole = entries.groupby("firm", observed=True)["loss"].sum()
    return pd.DataFrame(
        {
            "firm": most["firm"].astype(str).to_numpy(),
            "lost": whole.loc[most["firm"]].to_numpy(),
            "shock": most["root"].astype(str).to_numpy(),
            "origin": most["root_firm"].astype(str).to_numpy(),
            "named": most["loss"].to_numpy() / whole.loc[most["firm"]].to_numpy(),
        }
    )


def _placebo(struck: pd.DataFrame, firms: pd.DataFrame, shock: str, origin: str) -> str:
    """Another firm that the shock struck, nearest to the origin in output; empty where there is none."""
    others = struck.loc[(struck["shock"] == shock).to_numpy(), "firm"].astype(str).unique()
    others = others[others != origin]
    if not len(others):
        return ""
    far = np.abs(np.log(firms["output"].loc[others].to_numpy() / float(firms["output"].loc[origin])))
    return str(others[np.argmin(far)])


def _lived(
    result: Result, shock: str, row: int, plan: Blueprint | None, *, alone: bool
) -> tuple[Blueprint, Array]:  # fmt: skip
    """Production of every firm (n,) with the shock on this firm alone, or on all others; and the blueprint."""
    eco = Ecosystem(result.scenario, blueprint=plan, replicate=int(result.manifest.get("replicate", 0)))
    read = eco.world.plan.sources | eco.world.sources
    provenance.refuse_other_files(result.manifest.get("imported", {}), read, result.scenario.name)
    entries = eco.world.memory.get(shock, {})
    if not {"rows", "first"} <= set(entries):
        raise InputError(
            f"{shock}: this shock keeps no list of whom it strikes how hard, so it cannot be lifted off one firm; "
            "derive its class from ecosim.shocks.hit.Hit"
        )
    entries["first"][(entries["rows"] != row) if alone else (entries["rows"] == row)] = 0.0
    eco.run_for(result.scenario.days)
    return eco.world.plan, eco.world.firms.produced
