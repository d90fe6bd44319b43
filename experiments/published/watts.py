"""Watts (2002): a single failure that ends in the failure of nearly everybody, and when it can.

A firm that lives as long as enough of its suppliers do. Where it has few neighbours, or many, a single failure stays
small; in between it can topple nearly everybody. The rule itself, and the engine's firms with their buffers.

Tests the engine and a function of the library; what is measured and why it must come out so stands in
ecosim/validation/watts.py.

    python experiments/published/watts.py [--quick]
"""

from ecosim.validation.alone import main

if __name__ == "__main__":
    main("watts")
