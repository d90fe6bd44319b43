"""Any other structure with its pattern shaken out and every degree kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, SerializeAsAny, model_validator

from ecosim.networks import network_named
from ecosim.networks.wiring import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms, Slots


class Rewired(Network):
    """The null model of a structure: what would happen if only the numbers of suppliers and customers mattered.

    Links of another structure exchange their suppliers in pairs, at random, within the same product (Maslov & Sneppen
    2002). Every firm keeps its number of suppliers and of customers for each product exactly; clusters, tiers,
    distances and cycles are lost. A difference between a structure and its rewired twin is due to its pattern.
    """

    kind: Literal["rewired"] = "rewired"
    """Name of the structure."""
    of: SerializeAsAny[Network] = Field(default_factory=lambda: network_named("scale_free").model_validate({}))
    """The structure to rewire (the name of its kind, or kind and parameters)."""
    swaps: int = Field(default=10, ge=0, le=1000)
    """Swaps offered to each link (swaps per link); swaps that would break a rule are not made."""

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, data: Any) -> Any:
        """Find the inner structure by its kind; outer and inner have one number of suppliers between them."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        inner = data.get("of", {"kind": "scale_free"})
        if isinstance(inner, str):
            inner = {"kind": inner}
        if isinstance(inner, dict):
            if "suppliers" in data:
                inner = {"suppliers": data["suppliers"], **inner}
            inner = network_named(str(inner.get("kind", ""))).model_validate(inner)
        if isinstance(inner, Network) and data.setdefault("suppliers", inner.suppliers) != inner.suppliers:
            raise ValueError(
                f"suppliers is {data['suppliers']} for the rewired network and {inner.suppliers} for the one "
                "it rewires (of.suppliers): give it once"
            )
        return {**data, "of": inner}

    def wire(self, firms: Firms, slots: Slots, rng: np.random.Generator) -> NDArray[np.int32]:
        from ecosim.kernels.wiring import swap

        supplier = self.of.wire(firms, slots, rng).astype(np.int32)
        link = np.flatnonzero(supplier >= 0)
        link = link[np.argsort(slots.product[link], kind="stable")]
        _, first, size = np.unique(slots.product[link], return_index=True, return_counts=True)
        first, last = np.repeat(first, size), np.repeat(first + size, size)
        buyer = slots.buyer
        for turn in range(self.swaps):
            odd = turn % 2
            swap(slots.ptr, buyer, link, first, last, odd, rng.random((len(link) + 1 - odd) // 2), supplier)
        return supplier
