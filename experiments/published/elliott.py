"""Elliott, Golub & Leduc (2022): supply networks that hold until, a little weaker, they are gone.

Relationships work or do not. A little fewer that work, and an economy in which most firms produce is gone. The theory's
fixed point on ten thousand firms, and the engine with all-or-nothing relationships, which ends with the same firms.

Tests the engine and a function of the library; what is measured and why it must come out so stands in
ecosim/validation/elliott.py.

    python experiments/published/elliott.py [--quick]
"""

from ecosim.validation.alone import main

if __name__ == "__main__":
    main("elliott")
