"""What can bind a firm, by number and by name."""

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
STRUCK, MEANS, SUPPLIER, ORDERED_LITTLE, NO_CASH, CLIENT, INCOME, ELSEWHERE, PRICES, CLOSED, CLIENT_LEFT = range(1, 12)
