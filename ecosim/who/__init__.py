"""Whom a shock, a policy or a class of agents concerns."""

from ecosim.who.who import Who

__all__ = ["Who"]
