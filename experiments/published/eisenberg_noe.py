"""Eisenberg & Noe (2001): who pays how much when everybody owes everybody.

Everybody owes everybody, nobody works, nobody has enough. Firms pay what they can day by day, and end at the clearing
payments that a linear programme finds at once.

Tests the engine; what is measured and why it must come out so stands in ecosim/validation/eisenberg_noe.py.

    python experiments/published/eisenberg_noe.py [--quick]
"""

from ecosim.validation.alone import main

if __name__ == "__main__":
    main("eisenberg-noe")
