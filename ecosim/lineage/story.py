"""What happened to a firm, or to all, in words: days, amounts, and the way back to the shock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import InputError, hint
from ecosim.lineage.cascade import Cascade
from ecosim.lineage.causes import STRUCK_BY
from ecosim.lineage.tables import rows
from ecosim.state import CLOSES

if TYPE_CHECKING:
    import pandas as pd

    from ecosim.result import Result

WORST = "worst"
FEW = 0.02  # share of a firm's loss below which a cause is not told by itself


@dataclass(frozen=True)
class Step:
    """One link of the way back: from this day on this firm lost this much, because of that."""

    day: int
    last_day: int
    firm: str
    why: str
    loss: float

    def __str__(self) -> str:
        days = f"day {self.day}" if self.last_day == self.day else f"days {self.day} to {self.last_day}"
        return f"{days}: {self.firm} {self.why} ({amount(self.loss)} lost)"


def amount(value: float) -> str:
    """An amount as people read it."""
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2g}"


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{100.0 * share:.1f} %"


class Story:
    """Tells a run's lineage; all text is made of the numbers of its `Cascade`."""

    def __init__(self, result: Result) -> None:
        """Follow the harm of a run."""
        self.result, self.cascade = result, Cascade.of(result)
        firms = result.firms
        self.sector = dict(zip(firms["firm"], firms["sector"].astype(str), strict=True))
        self.region = dict(zip(firms["firm"], firms["region"].astype(str), strict=True))

    @property
    def _noted(self) -> dict[str, Any]:
        """What the record says about itself."""
        noted: dict[str, Any] = self.result.manifest.get("lineage", {})
        return noted

    # --- one firm -----------------------------------------------------------------------------------------------

    def named(self, firm: str) -> str:
        """A firm by its name; "worst" is the one that lost most. Raises InputError for a firm that does not exist."""
        if firm == WORST:
            return self.cascade.worst()
        if firm not in self.sector:
            raise InputError(f"--firm: no firm is named {firm!r}; {hint(firm, self.sector)}")
        return firm

    def of_firm(self, firm: str) -> list[str]:
        """Sentences about one firm: what it lost, what bound it when, and where the largest part came from."""
        row = self.result.firms[(self.result.firms["firm"] == firm).to_numpy()].iloc[0]
        said = [f"{firm} ({row['sector']}, {row['region']}) {self._lost(row)}."]
        entries = self.cascade.of_firm(firm)
        said += [f"It {each}." for each in self._milestones(firm, row)]
        if not len(entries):
            if self._noted.get("top", -1) >= 0 and row["lost"] > 0:
                return [*said, "What bound it was not kept: run again with --lineage full."]
            return [*said, "On no day did anything bind it that did not bind its undisturbed twin."]
        gross = float(entries["loss"].sum())
        told = entries[entries["loss"] >= FEW * gross]
        said.append("What bound it:")
        said += [f"  {self.step(row)}, {percent(row.loss / gross)} of its loss" for row in rows(told)]
        rest = gross - float(told["loss"].sum())
        if len(told) < len(entries):
            count = len(entries) - len(told)
            said.append(f"  and {count} shorter stretch{'' if count == 1 else 'es'}, {amount(rest)} lost in all")
        largest = int(entries["loss"].to_numpy().argmax())
        said.append("The way back of the largest part:")
        said += [f"  {each}" for each in self.way_back(int(entries.index.to_numpy()[largest]))]
        said.append(self._roots(entries, gross))
        return said

    def _lost(self, row: pd.Series[Any]) -> str:
        lost, days = float(row["lost"]), self.result.summary["days"]
        if lost <= 0:
            return f"made {amount(-lost)} more than its undisturbed twin in {days} days"
        return f"lost {amount(lost)} of output in {days} days, {row['lost_percent']:.1f} % of what its twin made"

    def _milestones(self, firm: str, row: pd.Series[Any]) -> list[str]:
        said = []
        if row["failed_on"] >= 0:
            said.append(f"first made less than half of its usual output on day {int(row['failed_on'])}")
        events = self.result.events
        for event in rows(events[(events["firm"] == firm).to_numpy()]):
            if event.event.startswith(CLOSES):
                said.append(f"closed on day {event.day}: {event.event.removeprefix(CLOSES)}")
        debts = self.cascade.debts
        taken = debts[(debts["creditor"] == firm).to_numpy()].nlargest(3, "amount")
        said += [
            f"lost {amount(debt.amount)} that {debt.debtor} owed it, on day {debt.day}"
            if isinstance(debt.debtor, str)
            else f"lost {amount(debt.amount)} of its money to {debt.shock} ({debt.through}), from day {debt.day} on"
            for debt in rows(taken)
        ]
        return said

    def step(self, row: Any) -> Step:
        """One entry in words; ``row`` is a named tuple of ``Cascade.entries``."""
        return Step(int(row.first_day), int(row.last_day), str(row.firm), self._why(row), float(row.loss))

    def _why(self, row: Any) -> str:
        cause, other = str(row.cause), row.from_firm
        if cause == STRUCK_BY:
            return f"was struck by {row.shock} ({row.through})"
        words = {
            "means are short": "lacked means" + (f" ({row.through})" if isinstance(row.through, str) else ""),
            "a supplier delivers too little": f"was short of {self.sector.get(other, '')} from {other}",
            "it ordered little itself": "had ordered too little itself",
            "it had no cash to order": "had no cash to order more",
            "a client orders less": f"sold less to {other}, which "
            + ("had no cash to order more" if row.through == "finance" else "ordered less"),
            "a client buys elsewhere": f"sold less to {other}, which bought elsewhere",
            "customers earn less": f"sold less because {row.customer} earned less",
            "customers went elsewhere": "lost customers to others",
            "its prices turn customers away": "lost customers by its prices",
            "closed": "was closed",
        }
        return words[cause]

    def way_back(self, entry: int) -> list[str]:
        """Steps from an entry back to where its harm began, one a line."""
        entries = self.cascade.entries
        steps = [self.step(row) for row in rows(entries.iloc[self.cascade.trail(entry)])]
        said = [f"{'  ' * at}{'<- ' if at else ''}{step}" for at, step in enumerate(steps)]
        last = entries.iloc[self.cascade.trail(entry)[-1]]
        if last["cause"] == "customers earn less":
            said.append(f"{'  ' * len(steps)}<- many firms paid less: {last['root']}")
        elif last["cause"] != STRUCK_BY:
            whom = f", which took the money of {last['root_firm']}" if last["root_firm"] else ""
            said.append(f"{'  ' * len(steps)}<- {last['root']}{whom}")
        return said

    @staticmethod
    def _roots(entries: pd.DataFrame, gross: float) -> str:
        shares = (entries.groupby("root", observed=True)["loss"].sum() / gross).sort_values(ascending=False)
        return "It all began with: " + ", ".join(f"{root} ({percent(share)})" for root, share in shares.items()) + "."

    # --- the whole cascade --------------------------------------------------------------------------------------

    def of_all(self) -> list[str]:
        """Sentences about the whole cascade."""
        cascade, noted = self.cascade, self._noted
        if not len(cascade.entries):
            return ["No firm made less than its undisturbed twin on any day: there is no harm to follow."]
        by_generation = cascade.by_generation()
        struck = cascade.entries[cascade.entries["cause"] == STRUCK_BY]
        direct = float(struck["loss"].sum()) / cascade.loss
        later = float(by_generation["loss"].get(0, 0.0)) / cascade.loss - direct
        afterwards = f", {percent(later)} in what the same firms went through afterwards" if later > 0.0005 else ""
        said = [
            f"{cascade.entries['firm'].nunique():,} firms lost {amount(cascade.loss)} of output: {percent(direct)} "
            f"directly ({struck['firm'].nunique():,} that were struck lost output by it){afterwards}, "
            f"{percent(1.0 - direct - later)} at others, up to {int(by_generation.index.max())} firms away."
        ]
        if noted.get("top", -1) >= 0:
            said.insert(
                0,
                f"Kept were the {noted['top']:,} firms that lost most and whoever their harm came through, of "
                f"{noted['firms']:,} that lost {amount(noted['loss'])}; all that follows is about those kept.",
            )
        gains = float(noted.get("gains_of_others", 0.0))
        if gains > 0:
            said.append(f"Others, or the same firms at other times, made {amount(gains)} more than their twins.")
        return said

    def tree(self, most: int = 3, deep: int = 3) -> list[tuple[int, str]]:
        """The cascade as an indented list of (depth, text): those through whom most harm passed, and whom it reached.

        At most ``most`` branches of each firm, and ``deep`` steps.
        """
        entries = self.cascade.entries
        handed = self.cascade.handed_on()
        flows = handed.groupby(["giver", "firm"], observed=True)["loss"].sum().reset_index()
        begun = entries[entries["firm"].isin(entries.loc[entries["cause"] == STRUCK_BY, "firm"])]
        struck = begun[begun["generation"] == 0].groupby("firm", observed=True)["loss"].sum()
        passed = self.cascade.conduits().set_index("firm")["passed_on"]
        first = passed[passed.index.isin(struck.index)].nlargest(most).index
        lines: list[tuple[int, str]] = []
        for firm in first:
            mine = entries[(entries["firm"] == firm).to_numpy() & (entries["cause"] == STRUCK_BY).to_numpy()]
            hit = float(mine["loss"].sum())
            after = float(struck[firm]) - hit
            followed = f", {amount(after)} in what followed from it" if after > FEW * float(struck[firm]) else ""
            lines.append((0, f"{firm}: {self._why(next(rows(mine)))}, {amount(hit)} lost by that{followed}"))
            self._branch(str(firm), flows, lines, {str(firm)}, 1, most, deep)
        return lines

    def _branch(
        self,
        firm: str,
        flows: pd.DataFrame,
        lines: list[tuple[int, str]],
        seen: set[str],
        depth: int,
        most: int,
        deep: int,
    ) -> None:
        if depth > deep:
            return
        ours = flows[(flows["giver"] == firm) & ~flows["firm"].isin(seen)]
        for row in rows(ours.nlargest(most, "loss")):
            lines.append((depth, f"{row.firm}: {amount(row.loss)} lost through {firm}"))
            self._branch(str(row.firm), flows, lines, seen | {str(row.firm)}, depth + 1, most, deep)
        if len(ours) > most:
            rest = float(np.sort(ours["loss"].to_numpy())[:-most].sum())
            lines.append((depth, f"{len(ours) - most} more: {amount(rest)}"))
