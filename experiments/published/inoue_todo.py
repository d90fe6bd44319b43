"""Inoue & Todo (2019): the engine beside the authors' own program, day by day.

The published core is the program that Inoue and Todo wrote: their own runs, their own numbers, day by day.

Tests the engine; what is measured and why it must come out so stands in ecosim/validation/inoue_todo.py.

    python experiments/published/inoue_todo.py [--quick]
"""

from ecosim.validation.alone import main

if __name__ == "__main__":
    main("inoue-todo")
