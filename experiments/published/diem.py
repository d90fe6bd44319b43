"""Diem et al. (2022): the Economic Systemic Risk Index beside the authors' own program.

The Economic Systemic Risk Index of every firm, in networks on which the authors' own program was run.

Tests a function of the library; what is measured and why it must come out so stands in ecosim/validation/diem.py.

    python experiments/published/diem.py [--quick]
"""

from ecosim.validation.alone import main

if __name__ == "__main__":
    main("diem")
