"""Published models to the letter, by the names of their authors.

``inoue_todo`` runs on the engine; ``esri`` is a library function of its own.
"""

from __future__ import annotations

from typing import Any

__all__ = ["esri", "inoue_todo"]

_HOMES = {"esri": "systemic_risk", "inoue_todo": "shock_propagation"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
