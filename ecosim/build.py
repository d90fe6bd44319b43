"""From a scenario to an economy at rest: firms and needs, a network that meets them, flows that balance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ecosim.blueprint import ESSENTIAL, IMPORTANCE, Blueprint, Slots
from ecosim.calibration.balance import balance
from ecosim.economies.economy import Economy, Needs
from ecosim.economies.given import Given
from ecosim.errors import InputError
from ecosim.memory import refuse_too_large
from ecosim.networks.imported import Imported
from ecosim.networks.wiring import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.blueprint import Firms
    from ecosim.rng import Streams


def build(economy: Economy, network: Network, streams: Streams) -> Blueprint:
    """Make the economy of a scenario, at rest and balanced."""
    source = _imported(network)
    if source is not None and not isinstance(economy, Given):
        raise InputError(
            f"economy.kind: {economy.kind} makes firms of its own, but network.kind: imported brings firms too; "
            "set economy.kind: given"
        )
    if source is None:
        refuse_too_large(economy, network)
        needs = economy.needs(network.suppliers, streams)
        return _wire(economy, network, needs, streams)
    plan = source.blueprint()
    if source is not network:
        plan = _wire(economy, network, _needs_of(plan), streams)
    return replace(_with_importance(economy, plan), sources=source.sources())


def _imported(network: Network) -> Imported | None:
    """The imported network inside, if there is one (a null of it is still its firms and flows)."""
    if isinstance(network, Imported):
        return network
    inner = getattr(network, "of", None)
    return _imported(inner) if isinstance(inner, Network) else None


def _needs_of(plan: Blueprint) -> Needs:
    """What the firms of an imported economy need, so that another structure can meet it."""
    output = _output(plan.firms, plan.supplier, plan.flow)
    slots = Slots(plan.ptr, plan.product, plan.flow / output[plan.buyer])
    return Needs(
        plan.firms, slots, None, 1, plan.customer, plan.customer_names, importance=plan.importance, role=plan.firms.role
    )


def _wire(economy: Economy, network: Network, needs: Needs, streams: Streams) -> Blueprint:
    slots, firms = needs.slots, needs.firms
    supplier = network.wire(firms, slots, streams[f"network: {network.kind}"].generator())
    buyer, product = slots.buyer, slots.product
    fitted = balance(firms.final_demand, firms.sector, buyer, product, slots.share, supplier, needs.target)
    kept = fitted.kept
    if not kept.any():
        raise InputError(f"network.kind: {network.kind} leaves every firm without a supplier; give it more firms")
    buyer, product, supplier = buyer[kept], product[kept], supplier[kept]
    if (product < 0).all():
        product = _numbered(buyer, needs.inputs)
    flow = fitted.share * fitted.output[buyer]
    importance = np.full(len(kept), ESSENTIAL, dtype=np.int8) if needs.importance is None else needs.importance
    order = np.lexsort((supplier, product, buyer))
    buyer, product, supplier, flow = buyer[order], product[order], supplier[order], flow[order]
    output = _output(firms, supplier, flow)
    role = (firms.final_demand < 0.5 * output).astype(np.int8)
    bought = np.bincount(buyer, flow, minlength=len(firms))
    plan = Blueprint(
        firms=replace(firms, role=role if needs.role is None else needs.role),
        ptr=np.concatenate(([0], np.cumsum(np.bincount(buyer, minlength=len(firms))))).astype(np.int64),
        supplier=supplier,
        product=product,
        flow=flow,
        importance=importance[kept][order],
        customer=needs.customer,
        customer_names=needs.customer_names,
        notes={
            "firms": len(firms),
            "links": len(flow),
            "total_output": float(output.sum()),
            "total_inputs": float(bought.sum()),
            "fit_rounds": fitted.rounds,
            "worst_sector_error": fitted.worst_sector,
            "total_output_error": fitted.total_error,
            "empty_slots": int((~kept).sum()),
            "firms_without_suppliers": int((np.bincount(buyer, minlength=len(firms)) == 0).sum()),
            "largest_input_share": float((bought / output).max()),
        },
    )
    return _with_importance(economy, plan)


def _output(firms: Firms, supplier: NDArray[np.int32], flow: NDArray[np.float64]) -> NDArray[np.float64]:
    """Output of each firm: final demand plus sales."""
    output: NDArray[np.float64] = firms.final_demand + np.bincount(supplier, flow, minlength=len(firms))
    return output


def _numbered(buyer: NDArray[np.int32], inputs: int) -> NDArray[np.int32]:
    """Number the links of each buyer 0, 1, ..., inputs - 1, 0, ...: its products where slots name none."""
    within = np.arange(len(buyer)) - np.searchsorted(buyer, buyer)
    numbers: NDArray[np.int32] = (within % inputs).astype(np.int32)
    return numbers


def _with_importance(economy: Economy, plan: Blueprint) -> Blueprint:
    if not economy.importance:
        return plan
    names = plan.firms.sector_names
    importance = plan.importance.copy()
    of_supplier = plan.firms.sector[plan.supplier]
    for sector, level in economy.importance.items():
        if sector not in names:
            raise InputError(f"economy.importance: no sector is named {sector!r}; there are {', '.join(names)}")
        importance[of_supplier == names.index(sector)] = IMPORTANCE.index(level)
    return replace(plan, importance=importance)
