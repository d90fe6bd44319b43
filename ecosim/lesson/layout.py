"""Where the businesses stand in the drawing: near those they trade with, and far enough apart to be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.lesson.lived import Town

WIDTH, HEIGHT = 720, 460
MARGIN = 34
ROUNDS = 300


def places(town: Town) -> NDArray[np.float64]:
    """Places of the firms in a drawing of `WIDTH` x `HEIGHT`, (firms, 2).

    Paths through the network are drawn to scale (Kamada & Kawai 1989); then neighbours are pushed apart, more sideways
    than up and down, since a name stands below each shape.
    """
    if town.at is not None:
        return town.at
    import networkx as nx

    count = len(town.names)
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(zip(town.supplier.tolist(), town.client.tolist(), strict=True))
    for part in list(nx.connected_components(graph))[1:]:
        graph.add_edge(0, min(part))
    found = nx.kamada_kawai_layout(graph)
    at = np.array([found[row] for row in range(count)])
    low, high = at.min(axis=0), at.max(axis=0)
    room = np.array([WIDTH, HEIGHT]) - 2.0 * MARGIN
    at = MARGIN + (at - low) / np.maximum(high - low, 1e-9) * room
    need = np.array([1.0, 0.62]) * np.sqrt(0.9 * WIDTH * HEIGHT / count / 0.62)
    for _ in range(ROUNDS):
        gap = at[:, None] - at[None]
        far = np.sqrt(((gap / need) ** 2).sum(axis=2))
        np.fill_diagonal(far, np.inf)
        push = np.clip(1.0 - far, 0.0, None) / np.maximum(far, 0.05)
        at = at + 0.1 * (gap * push[:, :, None]).sum(axis=1)
        at = np.clip(at, MARGIN, [WIDTH - MARGIN, HEIGHT - MARGIN])
    rounded: NDArray[np.float64] = at.round(1)
    return rounded
