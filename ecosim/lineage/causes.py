"""What can bind a firm, by number and by name."""

from ecosim.kernels.lineage import (
    CLIENT,
    CLIENT_LEFT,
    CLOSED,
    ELSEWHERE,
    INCOME,
    MEANS,
    NO_CASH,
    ORDERED_LITTLE,
    PRICES,
    STRUCK,
    SUPPLIER,
)

__all__ = [
    "CAUSES",
    "CLIENT",
    "CLIENT_LEFT",
    "CLOSED",
    "ELSEWHERE",
    "INCOME",
    "MEANS",
    "NO_CASH",
    "ORDERED_LITTLE",
    "PRICES",
    "STRUCK",
    "STRUCK_BY",
    "SUPPLIER",
]

#: Causes by number. What each leads back to: a shock, another firm, or the firm's own past.
CAUSES = (
    "none",
    "struck by a shock",
    "means are short",
    "a supplier delivers too little",
    "it ordered little itself",
    "it had no cash to order",
    "a client orders less",
    "customers earn less",
    "customers went elsewhere",
    "its prices turn customers away",
    "closed",
    "a client buys elsewhere",
)
STRUCK_BY = CAUSES[STRUCK]
