"""An economy whose firms come with the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ecosim.economies.economy import Economy, Needs
from ecosim.errors import InputError

if TYPE_CHECKING:
    from ecosim.rng import Streams


class Given(Economy):
    """Firms, sectors and final demand are listed with an imported network; only the rules of the day stand here."""

    kind: Literal["given"] = "given"

    def needs(self, suppliers: int, streams: Streams) -> Needs:
        """Refuse: only an imported network brings firms."""
        raise InputError(
            "economy.kind: given has no firms of its own; use it with network.kind: imported, "
            "or choose economy.kind: table or uniform"
        )
