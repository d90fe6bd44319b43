"""Is a folder what it says it is? Live it again from what it says of itself, and compare every bit.

`verifying` chooses; `run`, `comparison`, `atlas`, `sweep` and `policy` live theirs again; `difference` says what
differs first.
"""
