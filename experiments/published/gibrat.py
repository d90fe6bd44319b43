"""Gibrat and Kesten: sizes that grow by chance, and the power law that is left where nobody gets too small.

Firms that grow by chance: free, their log sizes spread with time; above a least size they settle at a power law.

Tests a function of the library; what is measured and why it must come out so stands in ecosim/validation/gibrat.py.

    python experiments/published/gibrat.py [--quick]
"""

from ecosim.validation.alone import main

if __name__ == "__main__":
    main("gibrat")
