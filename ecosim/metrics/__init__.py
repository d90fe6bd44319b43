"""Numbers measured every day: one small file each, named as its column."""

#: Measured in every run; a scenario adds to these.
STANDARD = (
    "total_production",
    "value_added",
    "final_consumption",
    "unmet_demand",
    "goods_lost",
    "capacity_lost",
    "stock",
)
