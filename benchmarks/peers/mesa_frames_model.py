# /// script
# requires-python = ">=3.12,<3.13"
# dependencies = [
#   "mesa-frames==0.1.0a0",
#   "numpy==1.26.4",
#   "pandas==3.0.6",
#   "polars==2.1.0",
#   "pyarrow==26.0.1",
# ]
# ///
"""The core day in mesa-frames: firms are rows of a Polars frame, and so are links; the day is expressions on columns.

mesa-frames wants numpy 1, ecosim numpy 2, so this file names an environment of its own: uv run --script makes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from mesa_frames import AgentSetPolars, ModelDF
from shared import NOISE, NOTHING, Economy, serve

if TYPE_CHECKING:
    from shared import Run

col = pl.col


class Firms(AgentSetPolars):
    """Firms, and the links that they buy through, in the order of buyers and products.

    Links name their group (buyer and product) and firms by row number, so a value of another frame is gathered, where
    a join would have to look it up.
    """

    def __init__(self, model: ModelDF, economy: Economy) -> None:
        super().__init__(model)
        group = economy.group
        rows = np.arange(economy.firms)
        self.add(
            pl.DataFrame(
                {
                    "unique_id": rows,
                    "output": economy.output,
                    "final_demand": economy.final_demand,
                    "capacity": economy.capacity,
                    "production": economy.output,
                }
            )
        )
        target = np.repeat(economy.inventory_days, np.diff(economy.ptr))
        self.links = pl.DataFrame(
            {
                "buyer": economy.buyer,
                "supplier": economy.supplier.astype(np.int64),
                "group": group,
                "flow": economy.flow,
                "inventory": target,
                "smoothing": np.repeat(economy.smoothing_days, np.diff(economy.ptr)),
                "stock": target * economy.flow,
                "delivered": economy.flow,
            }
        ).with_columns(col("group").set_sorted(), col("buyer").set_sorted())
        self.goods = self.links.group_by("group", maintain_order=True).agg(col("buyer").first(), need=col("flow").sum())
        self.goods = self.goods.with_columns(col("buyer").set_sorted())

    def step(self) -> None:
        """One day."""
        firms = self.agents.with_columns(pace=col("production") / col("output"))
        pace = firms["pace"]
        goods = self.goods.with_columns(have=self._stocks()).with_columns(
            drawn=pl.when(col("have") > NOTHING)
            .then(pace.gather(self.goods["buyer"]) * col("need") / col("have"))
            .otherwise(0.0)
        )
        change = col("delivered") - col("stock") * goods["drawn"].gather(self.links["group"])
        self.links = (
            self.links.with_columns(change=change)
            .with_columns(
                stock=col("stock")
                + pl.when(col("change").abs() <= NOISE * col("delivered")).then(0.0).otherwise(col("change")),
                use=col("flow") * pace.gather(self.links["buyer"]),
            )
            .with_columns(stock=pl.when(col("stock") <= NOTHING).then(0.0).otherwise(col("stock")))
            .with_columns(
                ordered=(col("use") + (col("inventory") * col("use") - col("stock")) / col("smoothing")).clip(
                    lower_bound=0.0
                )
            )
        )
        covered = goods.select("buyer", covered=self._stocks() / col("need"))
        limits = covered.group_by("buyer", maintain_order=True).agg(limit=col("covered").min())
        orders = self.links.group_by("supplier").agg(orders=col("ordered").sum())
        firms = (
            firms.join(limits, left_on="unique_id", right_on="buyer", how="left", maintain_order="left")
            .join(orders, left_on="unique_id", right_on="supplier", how="left", maintain_order="left")
            .with_columns(
                limit=col("limit").fill_null(float("inf")) * col("output"),
                asked=col("final_demand") + col("orders").fill_null(0.0),
            )
            .with_columns(
                limit=pl.when((col("limit") >= col("output") * (1.0 - NOISE)) & (col("limit") < col("output")))
                .then(col("output"))
                .otherwise(col("limit"))
            )
            .with_columns(production=pl.min_horizontal("capacity", "limit", "asked"))
        )
        share = firms.select(
            pl.when(col("asked") > 0.0).then(col("production") / col("asked")).otherwise(0.0)
        ).to_series()
        self.links = self.links.with_columns(delivered=col("ordered") * share.gather(self.links["supplier"]))
        self.agents = firms.drop("pace", "limit", "orders", "asked")

    def _stocks(self) -> pl.Series:
        """Stock of each product that each firm buys."""
        return self.links.group_by("group", maintain_order=True).agg(col("stock").sum())["stock"]


class Market(ModelDF):
    """All firms."""

    def __init__(self, economy: Economy) -> None:
        super().__init__(seed=0)
        self.firms = Firms(self, economy)
        self.agents.add(self.firms)


def start(economy: Economy, days: int) -> Run:
    """Set up the model at rest, to live some days."""
    market = Market(economy)

    def run() -> list[float]:
        totals = []
        for _ in range(days):
            market.step()
            totals.append(market.get_agents_of_type(Firms)["production"].sum())
        return totals

    return run


if __name__ == "__main__":
    serve(start)
