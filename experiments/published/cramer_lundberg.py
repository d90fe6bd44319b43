"""Cramér & Lundberg: how likely a firm with a reserve is ever ruined by accidents that it can pay for on average.

Firms with a reserve have accidents that they can pay for on average. Some run out of cash all the same: how many is an
old formula of insurance.

Tests the engine and a function of the library; what is measured and why it must come out so stands in
ecosim/validation/cramer_lundberg.py.

    python experiments/published/cramer_lundberg.py [--quick]
"""

from ecosim.validation.alone import main

if __name__ == "__main__":
    main("cramer-lundberg")
