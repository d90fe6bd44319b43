"""Gabaix (2011): shocks to single firms do not average out where a few firms are large.

Customers of single firms come and go. With few large firms the whole economy feels it: by the root of the Herfindahl
index of their sizes, which hardly falls with the number of firms.

Tests the engine; what is measured and why it must come out so stands in ecosim/validation/gabaix.py.

    python experiments/published/gabaix.py [--quick]
"""

from ecosim.validation.alone import main

if __name__ == "__main__":
    main("gabaix")
