"""Leontief's multipliers: what an economy makes in the long run when its customers want something else.

A tenth of the firms sell a fifth more, or three tenths less, for good. Once stocks have settled, every firm makes what
Leontief's inverse says: the multiplier of final demand is that of the matrix, firm by firm.

Tests the engine; what is measured and why it must come out so stands in ecosim/validation/leontief.py.

    python experiments/published/leontief.py [--quick]
"""

from ecosim.validation.alone import main

if __name__ == "__main__":
    main("leontief")
