"""One line of the benchmark: what was measured, beside what, and whether that is good enough."""

from __future__ import annotations

from dataclasses import dataclass

HEAD = f"{'what':<48}{'reference':<26}{'measured':>11}  {'target':<10}{'met':<5}"


@dataclass(frozen=True)
class Line:
    """A value beside its target, in ``unit``; ``value`` is None where only another program can measure it.

    ``reference`` is what it is compared with, ``limit`` the most it may be (the least, with ``at_least``) or None
    where there is no target, and ``note`` says how it was measured.
    """

    what: str
    reference: str
    value: float | None
    unit: str
    limit: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where it was not measured, or there is none."""
        if self.value is None or self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        """The line, in the columns of ``HEAD``."""
        measured = "elsewhere" if self.value is None else _amount(self.value, self.unit)
        target = "" if self.limit is None else f"{'>=' if self.at_least else '<='} {_amount(self.limit, self.unit)}"
        met = {None: "-", True: "yes", False: "no"}[self.met]
        return f"{self.what:<48}{self.reference:<26}{measured:>11}  {target:<10}{met:<5}{self.note}".rstrip()


def _amount(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 or value == round(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()
