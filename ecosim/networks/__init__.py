"""Structures: who supplies whom. One small file per structure, named like its kind; a new file is a new kind.

Every structure is given the same firms and the same slots and chooses a supplier for each slot, so that economies
differ in structure only.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from inspect import getdoc
from pkgutil import iter_modules

from ecosim.networks.wiring import GeneratedNetwork, Network

__all__ = ["GeneratedNetwork", "Network", "known_networks", "network_named"]


def network_named(kind: str) -> type[Network]:
    """The structure of that name, or a class of your own named ``package.module:Name``."""
    if ":" in kind:
        return _own_class(kind)
    kinds = _kinds()
    if kind not in kinds:
        close = get_close_matches(kind, kinds, n=3)
        hint = f"did you mean {' or '.join(close)}? " if close else ""
        raise ValueError(
            f"no network of kind {kind!r}; {hint}known kinds: {', '.join(kinds)}; a class of your own is named "
            "package.module:Name"
        )
    found = _structure_in(kind)
    if found is None:
        raise ValueError(f"ecosim/networks/{kind}.py must define one Network whose kind is {kind!r} by default")
    return found


def known_networks() -> dict[str, str]:
    """Every structure there is: its kind and what it is, in one line."""
    found = {kind: _structure_in(kind) for kind in _kinds()}
    return {kind: (getdoc(cls) or "").partition("\n")[0] for kind, cls in found.items() if cls is not None}


def _kinds() -> list[str]:
    """Names of the files beside this one, without the machinery they share."""
    return sorted(module.name for module in iter_modules(__path__) if module.name != "wiring")


def _structure_in(kind: str) -> type[Network] | None:
    """The class in the file of that name that carries its name as kind."""
    for value in vars(import_module(f"{__name__}.{kind}")).values():
        if isinstance(value, type) and issubclass(value, Network) and value.model_fields["kind"].default == kind:
            return value
    return None


def _own_class(path: str) -> type[Network]:
    module, _, name = path.partition(":")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"network {path!r} cannot be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Network)):
        raise ValueError(
            f"network {path!r} is not a network: derive it from ecosim.networks.Network and give it wire(), or from "
            "ecosim.networks.GeneratedNetwork and give it generate()"
        )
    return found
