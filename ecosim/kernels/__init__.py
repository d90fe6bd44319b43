"""Arithmetic on arrays: numba functions that know no objects and draw no numbers in order."""

from ecosim.compiling import listen

listen()
