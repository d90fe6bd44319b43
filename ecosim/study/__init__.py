"""Studies: one scenario lived thousands of times with something changed, on one machine or many, and nothing lost.

`spec` says what is to be done, `design` which points are lived, `sweeping` has them lived by `runner` (processes here)
or `cluster` (Dask), `worker` lives them, `store` keeps every run whole or not at all, and `results` reads the folder.
"""
