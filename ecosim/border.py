"""Where the economy meets NetworkX: the graph of today, built on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import networkx as nx

from ecosim.blueprint import IMPORTANCE

if TYPE_CHECKING:
    from ecosim.model import Ecosystem

LINK_ATTRIBUTES = ("flow", "stock", "ordered", "delivered")


def to_networkx(eco: Ecosystem) -> nx.DiGraph[Any]:
    """Return firms and communities as nodes, and two layers of edges.

    Nodes are named and carry ``type, sector, region, x, y`` and every column of their row. Edges of layer "supply" run
    supplier -> client with ``flow, stock, ordered, delivered, product, importance``; edges of layer "demand" run firm
    -> community with ``flow`` and today's ``delivered``. All amounts in currency units (a day, or held).
    """
    world = eco.world
    plan, links = world.plan, world.links
    graph: nx.DiGraph[Any] = nx.DiGraph()
    names = plan.names
    columns = {name: column.tolist() for name, column in world.firms.columns.items()}
    kinds = [cls.__name__ for cls in eco.roster.classes]
    for row, name in enumerate(names):
        graph.add_node(
            name,
            type=kinds[eco.roster.kind[row]],
            sector=plan.firms.sector_names[plan.firms.sector[row]],
            region=plan.firms.region_names[plan.firms.region[row]],
            x=float(plan.firms.x[row]),
            y=float(plan.firms.y[row]),
            **{column: values[row] for column, values in columns.items()},
        )
    for row, name in enumerate(plan.customer_names):
        values = {column: float(held[row]) for column, held in world.customers.columns.items()}
        graph.add_node(name, type="Customer", **values)
    arrays = [getattr(links, name).tolist() for name in LINK_ATTRIBUTES]
    ends = zip(links.supplier.tolist(), links.buyer.tolist(), links.product.tolist(), links.importance, strict=True)
    for at, (supplier, buyer, product, importance) in enumerate(ends):
        if not links.flow[at] > 0:
            continue  # spare: nothing is bought through it
        graph.add_edge(
            names[supplier],
            names[buyer],
            layer="supply",
            product=product,
            importance=IMPORTANCE[importance],
            **{name: values[at] for name, values in zip(LINK_ATTRIBUTES, arrays, strict=True)},
        )
    for row, demand in enumerate(columns["final_demand"]):
        if demand > 0:
            community = plan.customer_names[plan.customer[row]]
            graph.add_edge(names[row], community, layer="demand", flow=demand, delivered=columns["consumption"][row])
    return graph
