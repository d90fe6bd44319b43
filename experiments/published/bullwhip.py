"""Chen et al. (2000): orders vary more than sales, and the more so the further up the chain.

Customers want a little more one day and a little less the next; orders swing more, and further up the chain more still.

Tests the engine; what is measured and why it must come out so stands in ecosim/validation/bullwhip.py.

    python experiments/published/bullwhip.py [--quick]
"""

from ecosim.validation.alone import main

if __name__ == "__main__":
    main("bullwhip")
