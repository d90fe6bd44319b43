"""A mutual pool: what sharing of losses can do, and what it cannot.

Members of a pool share what each loses. What strikes all alike stays with them, however many they are.

Tests the engine; what is measured and why it must come out so stands in ecosim/validation/mutual_pool.py.

    python experiments/published/mutual_pool.py [--quick]
"""

from ecosim.validation.alone import main

if __name__ == "__main__":
    main("mutual-pool")
