"""Cohen et al. (2000, 2001): how many nodes must be lost before a network falls to pieces, by chance or by intent.

How many firms must go before a network falls to pieces: many if chance chooses, few if the best connected go first.

Tests a function of the library; what is measured and why it must come out so stands in ecosim/validation/cohen.py.

    python experiments/published/cohen.py [--quick]
"""

from ecosim.validation.alone import main

if __name__ == "__main__":
    main("cohen")
