"""Imported once by the server that processes are forked from: every compiled kernel is loaded before the first fork.

Loading them takes a process seconds, and a fork inherits what is loaded.
"""

from contextlib import suppress

import ecosim.study.worker  # noqa: F401 - and with it all that a run needs
from ecosim.found import load
from ecosim.model import Ecosystem
from ecosim.paired import finish

with suppress(Exception):  # nothing depends on it
    finish(Ecosystem(load("default_world").with_({"economy.firms": 100, "days": 60, "shocks.0.when": 1})))
