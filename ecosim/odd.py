"""The parts of the ODD protocol (Grimm et al. 2020) that the code knows best: what there is, the day in order, values.

Of the whole model, or of one scenario alone: only what it switches on, at the values that it gives.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from typing import TYPE_CHECKING, Any

from ecosim import goods, model
from ecosim.config import Scenario
from ecosim.config.kinds import find, known
from ecosim.errors import InputError
from ecosim.mechanisms.mechanism import SEQUENCE
from ecosim.parameters import in_words, mechanisms
from ecosim.part import Part
from ecosim.spread import Spread
from ecosim.state import CORE_CHANNELS, CUSTOMER_COLUMNS, FIRM_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: What each array of `ecosim.state.Links` that a day reads or changes means; the others are indexes of these.
LINK_COLUMNS = {
    "supplier": "row of the firm that delivers",
    "product": "which of the buyer's inputs it delivers, a number",
    "importance": "what production needs of it: essential, important or other",
    "flow": "bought at rest, currency units a day",
    "stock": "stock of this supplier's goods that the buyer holds, currency units",
    "ordered": "ordered today, currency units a day",
    "delivered": "delivered today, currency units a day",
}
MARK = re.compile(r"<!-- code: (\w+) -->")
CORE = "core"
LISTED = 10  # entries of a list that are shown one by one


def parts(scenario: Scenario | None = None) -> dict[str, str]:
    """Markdown of each part by name: ``state``, ``channels``, ``day``, ``submodels`` and ``values``.

    With a scenario: of its mechanisms, shocks and policies only, with its own values.
    """
    chosen = mechanisms()
    if scenario is not None:
        on = {type(part) for part in scenario.mechanisms}
        chosen = [part for part in chosen if part in on]
    return {
        "state": "\n\n".join(_state(chosen)),
        "channels": _table(("channel", "scales", "opened by"), _channels(chosen)),
        "day": "\n".join(_day(chosen)),
        "submodels": _table(("submodel", "what it does", "parameters"), _submodels(chosen, scenario)),
        "values": _table(("where", "parameter", "meaning", "value"), _values(scenario)),
    }


def fill_in(page: str, found: dict[str, str]) -> str:
    """A Markdown page with each ``<!-- code: NAME -->`` ... ``<!-- end: NAME -->`` holding the part of that name.

    Raises InputError where the page has a mark without a part, or lacks the mark of one.
    """
    named = MARK.findall(page)
    if sorted(named) != sorted(found):
        raise InputError(f"the page marks {', '.join(named) or 'nothing'}; it must mark {', '.join(found)}, each once")

    def put(match: re.Match[str]) -> str:
        return f"<!-- code: {match[1]} -->\n\n{found[match[1]]}\n\n<!-- end: {match[1]} -->"

    filled, count = re.subn(MARK.pattern + r".*?<!-- end: \1 -->", put, page, flags=re.DOTALL)
    if count != len(found):
        raise InputError("a mark of the page has no end: each '<!-- code: NAME -->' needs an '<!-- end: NAME -->'")
    return filled


# --- state ----------------------------------------------------------------------------------------------------------


def _state(chosen: list[Any]) -> Iterator[str]:
    """A table of columns for each kind of entity."""
    for title, own, added in (
        ("Firms (small businesses and suppliers)", FIRM_COLUMNS, "columns"),
        ("Customers (communities of people)", CUSTOMER_COLUMNS, "people_columns"),
        ("Supply links", LINK_COLUMNS, "link_columns"),
    ):
        rows = {name: (meaning, CORE) for name, meaning in own.items()}
        for part in chosen:
            for name, meaning in getattr(part, added).items():
                shared = f"{rows[name][1]}, {_kind(part)}" if name in rows else _kind(part)
                rows[name] = (rows[name][0] if name in rows else meaning, shared)
        yield f"**{title}**"
        cells = ((f"`{name}`", *row) for name, row in rows.items())
        yield _table(("state variable", "meaning and unit", "kept by"), cells)


def _channels(chosen: list[Any]) -> Iterator[tuple[str, str, str]]:
    """What shocks and policies may write to."""
    for name, meaning in CORE_CHANNELS.items():
        yield f"`{name}`", meaning, CORE
    seen = set(CORE_CHANNELS)
    for part in chosen:
        for name, meaning in part.channels.items():
            if name not in seen:
                seen.add(name)
                yield f"`{name}`", meaning, _kind(part)


# --- the day --------------------------------------------------------------------------------------------------------


def _day(chosen: list[Any]) -> Iterator[str]:
    """What `Ecosystem.step` calls, in its order, each with what it says of itself; mechanisms where they act."""
    number = 0
    for name, argument in _calls(model.Ecosystem.step):
        if name == "_phase":
            yield from _acting(argument, chosen)
            continue
        number += 1
        yield f"{number}. `{name.lstrip('_')}`: {_says(_named(name))}"
        for inner, phase in _calls(_named(name)):
            if inner == "_phase":
                yield from _acting(phase, chosen)


def _acting(phase: str, chosen: list[Any]) -> Iterator[str]:
    """Mechanisms that act in a phase, in their order."""
    acting = [part for part in chosen if hasattr(part, phase)]
    if acting:
        yield f"    - phase *{phase}*:"
    for part in acting:
        yield f"        - {_kind(part)}: {_says(getattr(part, phase))}"


def _calls(function: Any) -> Iterator[tuple[str, str]]:
    """Calls of a method by name, with the first argument where it is a text, in the order of the source."""
    body = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    for node in ast.walk(body):
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
            continue
        called = node.value.func
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
            given = [each.value for each in node.value.args if isinstance(each, ast.Constant)]
            if called.value.id in {"self", "goods"}:
                yield called.attr, str(given[0]) if given else ""


def _named(name: str) -> Any:
    """The method of the ecosystem, or the function of `ecosim.goods`, of that name."""
    return getattr(model.Ecosystem, name, None) or getattr(goods, name)


def _says(function: Any) -> str:
    """First sentence of a docstring, on one line."""
    return _first(function.__doc__)


def _first(text: str | None) -> str:
    paragraph = " ".join(inspect.cleandoc(text or "").split("\n\n")[0].split()).replace("``", "`")
    return re.split(r"(?<=[.!?]) (?=[A-Z])", paragraph)[0]


# --- submodels and values -------------------------------------------------------------------------------------------


def _submodels(chosen: list[Any], scenario: Scenario | None) -> Iterator[tuple[str, str, str]]:
    """A row for each mechanism, shock and policy, with how many parameters it has."""
    for part in chosen:
        yield f"[{_kind(part)}](mechanisms.md#{_kind(part)})", _first(part.__doc__), _count(part)
    for family, noun in (("shocks", "shock"), ("policies", "policy")):
        if scenario is None:
            classes = [find(family, kind) for kind in known(family)]
        else:
            classes = list(dict.fromkeys(type(part) for part in getattr(scenario, family)))
        for part in classes:
            kind = _kind(part)
            yield f"{noun} [{kind}]({family}.md#{kind})", _first(part.__doc__), _count(part)


def _count(part: Any) -> str:
    return str(len(part.model_fields) - 1)


def _values(scenario: Scenario | None) -> Iterator[tuple[str, str, str, str]]:
    """The core's parameters with their defaults, or every value of a scenario but its lists of firms and links."""
    given = Scenario() if scenario is None else scenario
    for name in ("days", "seed"):
        yield "scenario", f"`{name}`", _meaning(given, name), str(getattr(given, name))
    held: list[tuple[str, Part]] = [("economy", given.economy), ("network", given.network)]
    if scenario is not None:
        on: list[Any] = sorted(given.mechanisms, key=lambda part: _place(part.kind))
        events: list[Any] = [*given.shocks, *given.policies]
        held += [(f"mechanism {part.kind}", part) for part in on]
        held += [(f"{part.kind} {part.label}", part) for part in events]
    for where, part in held:
        for name in type(part).model_fields:
            yield where, f"`{name}`", _meaning(part, name), _told(getattr(part, name))


def _place(kind: str) -> int:
    return SEQUENCE.index(kind) if kind in SEQUENCE else len(SEQUENCE)


def _meaning(part: Any, name: str) -> str:
    if name == "kind":
        return "Which of its kind it is."
    return _first(type(part).model_fields[name].description)


def _told(value: Any) -> str:
    """A value as the reader of a paper sees it; long lists, such as all links, as their number."""
    if isinstance(value, Spread):
        return in_words(value)
    if isinstance(value, Part):
        value = {name: held for name, held in value.model_dump(exclude_defaults=True).items() if held is not None}
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_told(held)}" for name, held in value.items()) or "none"
    if isinstance(value, list | tuple) and len(value) > LISTED:
        return f"{len(value)} entries"
    if isinstance(value, list | tuple):
        return ", ".join(map(_told, value)) or "none"
    return "none" if value in {None, ""} else f"{value:g}" if isinstance(value, float) else str(value)


def _kind(part: Any) -> str:
    return str(part.model_fields["kind"].default)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(head), "|".join(["---"] * len(head))]
    lines += [" | ".join(cell.replace("|", "/").replace("*", "\\*") for cell in row) for row in rows]
    return "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in lines)
