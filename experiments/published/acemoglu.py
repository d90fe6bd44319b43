"""Acemoglu et al. (2012): how shocks to single firms add up, by the influence vector of the network.

Small shocks to single firms, each for itself: on a ring they average out, on a star they do not. Compared with the norm
of the influence vector, exact for the number of firms at hand.

Tests the engine; what is measured and why it must come out so stands in ecosim/validation/acemoglu.py.

    python experiments/published/acemoglu.py [--quick]
"""

from ecosim.validation.alone import main

if __name__ == "__main__":
    main("acemoglu")
