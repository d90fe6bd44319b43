"""Any other structure with its pattern shaken out and every degree kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field, SerializeAsAny, ValidationInfo, field_validator, model_validator

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
    """The structure to rewire (the name of its kind, or kind and parameters); it takes its number of suppliers here."""
    swaps: int = Field(default=10, ge=0, le=1000)
    """Swaps offered to each link (swaps per link); swaps that would break a rule are not made."""

    @field_validator("of", mode="before")
    @classmethod
    def _resolve(cls, inner: Any, info: ValidationInfo) -> Any:
        """Find the inner structure by its kind."""
        if isinstance(inner, str):
            inner = {"kind": inner}
        if not isinstance(inner, dict):
            return inner
        kind = str(inner.get("kind", ""))
        if ":" in kind and not (info.context or {}).get("allow_code", True):
            raise ValueError(f"{kind!r} names Python code, and this scenario may not run any; name a built-in kind")
        return network_named(kind).model_validate(inner, context=info.context)

    @model_validator(mode="after")
    def _one_number_of_suppliers(self) -> Self:
        """Outer and inner have one number of suppliers between them; the outer one counts when both are given."""
        inner = self.of
        if "suppliers" in inner.model_fields_set and "suppliers" not in self.model_fields_set:
            object.__setattr__(self, "suppliers", inner.suppliers)
        elif inner.suppliers != self.suppliers:
            object.__setattr__(self, "of", inner.model_copy(update={"suppliers": self.suppliers}))
        return self

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
