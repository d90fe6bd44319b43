"""A shock that makes a run fail in a way of one's choice, for the tests of studies."""

import time

from ecosim.shocks.shock import Shock


class Trouble(Shock):
    """Fails on the first morning, or does nothing."""

    kind: str = "study_trouble:Trouble"
    how: str = "none"

    def apply(self, world, rng):
        if self.how == "raise":
            raise ZeroDivisionError("no such luck")
        if self.how == "exit":
            raise SystemExit(3)
        if self.how == "grow":
            _ = [bytearray(b"x" * 20_000_000) for _ in range(1000)]
        while self.how == "loop":
            time.sleep(0.001)
        if self.how == "stuck":
            time.sleep(600)
