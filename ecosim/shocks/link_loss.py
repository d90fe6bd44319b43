"""Lost links: trade between some firms is cut off, while each of them stays whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ecosim.errors import InputError
from ecosim.shocks.hit import Spell
from ecosim.who import Who

if TYPE_CHECKING:
    from ecosim.rng import Stream
    from ecosim.state import World

Array = np.ndarray[Any, np.dtype[Any]]

LINKS = "{}: links"  # memory: whom each link was struck with by a shock of that name, and who counts as a partner
NOBODY = -1


class LinkLoss(Spell):
    """Firms can no longer trade with each other: a broken contract, an embargo, a bridge that is gone.

    Equation: of what is ordered through a link that is struck, the share 1 - s reaches the supplier, s being what is
    left of the severity; a link of two firms that are hit is cut by both. A link is cut only while it has the supplier
    that it had when it was struck: a buyer who finds another one (``sourcing``) trades again. Not a channel of firms
    but of links: the core listens.
    """

    kind: Literal["link_loss"] = "link_loss"
    side: Literal["sales", "purchases", "both"] = "both"
    """Which links of those firms: through which they sell, or buy, or both."""
    partners: Who | None = None
    """Only links to these firms at the other end, so that ``who`` and ``partners`` name single links; null for all."""

    writes: ClassVar[tuple[str, ...]] = ("links",)

    def prepare(self, world: World, rng: Stream, where: str) -> None:
        """Choose firms, and whose links with them are cut."""
        super().prepare(world, rng, where)
        partner = np.ones(world.firms.rows, dtype=np.bool_)
        if self.partners is not None:
            partner[:] = False
            stream = world.streams[f"shock: {self.label}: partners"]
            partner[self.partners.pick(world, stream, f"{where}.partners")] = True
        kept = {"partner": partner, "struck": np.full(len(world.links), NOBODY, dtype=np.int64)}
        world.memory[LINKS.format(self.label)] = kept
        hit, rows = np.ones(world.firms.rows), world.memory[self.label]["rows"]
        hit[rows] = 0.0
        if len(rows) and not (self._through(world, hit, world.links.supplier)[world.links.flow > 0.0] < 1.0).any():
            raise InputError(f"{where}: none of these firms trade with each other; name others, or side: both")

    def effect(self, world: World, rows: Array, strength: Array) -> None:
        """Cut trade through links that have the supplier with whom they were struck."""
        struck, now = world.memory[LINKS.format(self.label)]["struck"], world.links.supplier
        left = np.ones(world.firms.rows)
        np.multiply.at(left, rows, 1.0 - strength)
        struck[self._through(world, left, np.maximum(struck, 0)) == 1.0] = NOBODY  # over, as far as these go
        share = self._through(world, left, now)
        new = (struck == NOBODY) & (share < 1.0)
        struck[new] = now[new]
        cut = np.flatnonzero((struck == now) & (share < 1.0))
        if len(cut):
            world.sheet.cut(cut, share[cut])

    def _through(self, world: World, left: Array, supplier: Array) -> Array:
        """What is left of trade through each link, shape (L,), from what is ``left`` of each firm's, shape (n,)."""
        partner, buyer = world.memory[LINKS.format(self.label)]["partner"], world.links.buyer
        of_sale = np.where(partner[buyer], left[supplier], 1.0) if self.side != "purchases" else 1.0
        of_purchase = np.where(partner[supplier], left[buyer], 1.0) if self.side != "sales" else 1.0
        return np.asarray(of_sale * of_purchase)
