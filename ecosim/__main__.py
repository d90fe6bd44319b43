"""``python -m ecosim`` is ``ecosim``."""

from ecosim.cli import main

main()
