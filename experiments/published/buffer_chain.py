"""A chain of buffers: how long stock carries those downstream of a firm that stands still.

The first firm of a chain stands still for some days. The last one notices nothing until the stocks in between are used
up, and then loses exactly the days that are left.

Tests the engine; what is measured and why it must come out so stands in ecosim/validation/buffer_chain.py.

    python experiments/published/buffer_chain.py [--quick]
"""

from ecosim.validation.alone import main

if __name__ == "__main__":
    main("buffer-chain")
