"""Every parameter of every mechanism in one table, read from the code: for documentation, sliders and sweeps."""

from __future__ import annotations

import inspect
import re
from math import isnan
from typing import TYPE_CHECKING, Any

from ecosim.config import presets
from ecosim.config.kinds import find, known
from ecosim.mechanisms.mechanism import SEQUENCE, Mechanism
from ecosim.part import Part
from ecosim.policies.policy import SHARED
from ecosim.spread import Spread
from ecosim.state import CORE_CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

COLUMNS = ("mechanism", "parameter", "meaning", "unit", "default", "low", "high", "varies", "source")

ASSUMED = "assumption"
PARAMETERS_SAY = (
    "Written by `ecosim parameters`; the code is the source. A parameter that varies may be given as a number or as a",
    "distribution over firms, with other medians for roles (SMB, Supplier), profiles (primary, manufacturing,",
    "construction, retail, services, technology, public), regions or sectors, these by name or by words in it:",
    '`cash_days: {median: 27, by: {services: 20, "*real estate*": 47}}`. What is usual for a profile is at the end.',
)
PROFILES_SAY = (
    "What is usual for a trade, a role or a community of customers. `profiles: true`, or a list of some, puts the",
    "values of trades and roles in place of the defaults above; `communities: {Riverside: small_town}` says what the",
    "customers of a region are like. A value of the scenario's own always wins. Measured effects are in",
    "[profiles.md](profiles.md).",
)
MECHANISMS_SAY = (
    "Written by `ecosim parameters --mechanisms`; the code is the source. Each is off unless a scenario lists it. They",
    "act in this order within each phase of the day. Their parameters are in [parameters.md](parameters.md).",
)

SHOCKS_SAY = (
    "Written by `ecosim parameters --shocks`; the code is the source. Each kind writes to channels of the daily sheet,",
    "and whoever listens decides what becomes of it. Beside `who`, `when`, `severity` and `contagion`, which all but",
    "pulse have in common, a kind has the keys that are listed with it. With a severity of 0 no bit changes. Effects",
    "on one day multiply, and nothing carries over to the next day but what firms themselves have lost.",
)
POLICIES_SAY = (
    "Written by `ecosim parameters --policies`; the code is the source. Beside what all have in common, a kind has the",
    "parameters listed with it; what differs from the common defaults is listed first.",
)
#: Whom a shock reaches without a channel of firms.
OTHER_WAYS = {"links": "the core, link by link", "closing": "the core; finance and turnover take it up"}


def mechanisms() -> list[type[Mechanism]]:
    """The built-in mechanisms, in the order in which they act."""
    found: list[Any] = [find("mechanisms", kind) for kind in known("mechanisms")]
    return sorted(found, key=lambda part: SEQUENCE.index(_kind(part)))


def parameters() -> pd.DataFrame:
    """Name, meaning, unit, default, range and source of each parameter, a row each.

    ``low`` and ``high`` are NaN where a parameter is no number; ``varies`` says whether it may differ between firms;
    the default of one that does is its `Spread` in words.
    """
    import pandas as pd

    rows = []
    for part in mechanisms():
        for name, field in part.model_fields.items():
            if name == "kind":
                continue
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            rows.append(
                (
                    _kind(part),
                    name,
                    " ".join((field.description or "").split()),
                    str(extra.get("unit", "")),
                    in_words(field.get_default(call_default_factory=True)),
                    extra.get("low"),
                    extra.get("high"),
                    Spread in getattr(field.annotation, "__args__", ()),
                    str(extra.get("source", "")),
                )
            )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"low": float, "high": float})


def parameters_page() -> str:
    """The table as a Markdown page, one section a mechanism."""
    table = parameters()
    assumed = int((table["source"] == ASSUMED).sum())
    told = f'Of {len(table)} parameters, {assumed} are marked "{ASSUMED}": no source is known for the value, and the'
    lines = ["# Parameters of the mechanisms", "", *PARAMETERS_SAY, told, "meaning says what stands for it."]
    for kind, rows in table.groupby("mechanism", sort=False):
        lines += ["", f"## {kind}", "", "| parameter | meaning | unit | default | range | varies | source |"]
        lines += ["|---|---|---|---|---|---|---|"]
        for row in rows.to_dict("records"):
            limits = "" if isnan(row["low"]) else f"{row['low']:g} to {row['high']:g}"
            cells = (f"`{row['parameter']}`", row["meaning"], row["unit"], row["default"], limits)
            words = (*cells, "yes" if row["varies"] else "", row["source"])
            lines.append(_row(words))
    return "\n".join([*lines, "", *_profiles()]) + "\n"


def profiles() -> pd.DataFrame:
    """What is usual in each profile: a row for each parameter that differs, and for each sector with its own value."""
    import pandas as pd

    rows = []
    for name in presets.names():
        for parameter, usual in presets.preset(name).values.items():
            source = ": ".join(filter(None, (usual.source, usual.why)))
            for sector, value in {"": usual.value, **usual.sectors}.items():
                rows.append((name, parameter, sector, value, usual.unit, source))
    return pd.DataFrame(rows, columns=["profile", "parameter", "sector", "value", "unit", "source"])


def _profiles() -> list[str]:
    """The same as Markdown, one section a profile."""
    lines = ["# Profiles", "", *PROFILES_SAY]
    for name, rows in profiles().groupby("profile"):
        lines += ["", f"## {name}", "", presets.preset(str(name)).about, ""]
        lines += ["| parameter | value | unit | source |", "|---|---|---|---|"]
        for (parameter, unit, source), some in rows.groupby(["parameter", "unit", "source"], sort=False):
            values = zip(some["value"], some["sector"], strict=True)
            told = ", ".join(f"{value:g} {sector and f'({sector})'}".strip() for value, sector in values)
            lines.append(_row((f"`{parameter}`", told, unit, source)))
    return lines


def _row(cells: Iterable[object]) -> str:
    """A row of a Markdown table."""
    return "| " + " | ".join(str(cell).replace("|", "/").replace("*", "\\*") for cell in cells) + " |"


def mechanisms_page() -> str:
    """What each mechanism stands for, its equations and what it keeps, as a Markdown page from the docstrings."""
    lines = ["# The mechanisms", "", *MECHANISMS_SAY]
    for part in mechanisms():
        lines += ["", f"## {_kind(part)}", "", _markdown(part.__doc__ or "")]
        for title, columns in (
            ("Firms", part.columns),
            ("Customers", part.people_columns),
            ("Links", part.link_columns),
            ("Listens to", part.channels),
        ):
            if columns:
                lines += [
                    "",
                    f"{title}: " + "; ".join(f"`{name}` ({meaning})" for name, meaning in columns.items()) + ".",
                ]
        if part.needs:
            lines += ["", f"Needs {', '.join(part.needs)}."]
    return "\n".join(lines) + "\n"


def shocks() -> list[Any]:
    """The built-in kinds of shocks, in the order of the alphabet."""
    return [find("shocks", kind) for kind in known("shocks")]


def shocks_section() -> str:
    """What each kind of shock stands for, whom it reaches and its own keys, as the last section of docs/shocks.md."""
    shared = set(find("shocks", "outage").model_fields) - {"recovery"}
    lines = ["## Types", "", *SHOCKS_SAY, "", "| kind | channel | who listens |", "|---|---|---|"]
    for part in shocks():
        told = {channel: _listeners(channel) for channel in part.writes} or {
            "channel": "whoever opens the one it names"
        }
        lines += [f"| [{_kind(part)}](#{_kind(part)}) | `{channel}` | {who} |" for channel, who in told.items()]
    for part in shocks():
        lines += ["", f"### {_kind(part)}", "", _markdown(part.__doc__ or "")]
        own = {name: field for name, field in part.model_fields.items() if name not in shared}
        if own:
            lines.append("")
        for name, field in own.items():
            meaning = " ".join((field.description or "").split())
            lines.append(f"- `{name}`: {meaning} Default {_shown(field.get_default(call_default_factory=True))}.")
    return "\n".join(lines) + "\n"


def policies() -> list[Any]:
    """The built-in kinds of policies, in the order of the alphabet."""
    return [find("policies", kind) for kind in known("policies")]


def policies_section() -> str:
    """What each policy stands for, its equation, channels and parameters, as the last section of docs/policies.md."""
    lines = ["## Kinds", "", *POLICIES_SAY, "", "| kind | channel | who listens | needs | money goes to |"]
    lines.append("|---|---|---|---|---|")
    for part in policies():
        kind = _kind(part)
        channels = ", ".join(f"`{channel}`" for channel in part.writes) or "-"
        ears = "; ".join(dict.fromkeys(_listeners(channel) for channel in part.writes)) or "-"
        needs = ", ".join(part.needs) or "-"
        lines.append(f"| [{kind}](#{kind}) | {channels} | {ears} | {needs} | {part.goes_to} |")
    for part in policies():
        lines += ["", f"### {_kind(part)}", "", _markdown(part.__doc__ or ""), ""]
        lines += [f"- `{name}`: {_usual(part, name)}." for name in _changed(part)]
        rows = [_policy_row(name, field) for name, field in part.model_fields.items() if name not in SHARED]
        if rows:
            lines += [""] if _changed(part) else []
            lines += ["| parameter | meaning | unit | default | range | source |", "|---|---|---|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _changed(part: type[Part]) -> list[str]:
    """What all policies have and this kind has another default for."""
    usual = next(base for base in part.__mro__ if base.__name__ == "Policy")
    shared: dict[str, Any] = usual.model_fields  # type: ignore[attr-defined]
    return [name for name in SHARED[1:] if part.model_fields[name].default != shared[name].default]


def _usual(part: type[Part], name: str) -> str:
    """A default without the fields that are left as they are."""
    value = part.model_fields[name].default
    if not isinstance(value, Part):
        return _shown(value)
    given = ", ".join(f"{key}: {_shown(getattr(value, key))}" for key in sorted(value.model_fields_set))
    return f"{{{given}}}"


def _policy_row(name: str, field: Any) -> str:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    low, high = extra.get("low"), extra.get("high")
    limits = "" if low is None else f"{low:g} to {high:g}"
    meaning = " ".join((field.description or "").split())
    return _row((f"`{name}`", meaning, extra.get("unit", ""), in_words(field.default), limits, extra.get("source", "")))


def _listeners(channel: str) -> str:
    """Who listens to a channel: the core, or mechanisms."""
    if channel in OTHER_WAYS:
        return OTHER_WAYS[channel]
    if channel in CORE_CHANNELS:
        return "the core"
    return ", ".join(_kind(part) for part in mechanisms() if channel in part.channels)


def _shown(value: Any) -> str:
    """A default as it is written in a scenario."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, Part):
        inside = ", ".join(f"{name}: {_shown(held)}" for name, held in value if held != "" and held is not None)
        return "{" + inside + "}"
    return "null" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _markdown(docstring: str) -> str:
    """A docstring, whose code is between double backticks and whose equations follow a double colon, as Markdown."""
    return re.sub(r" ?::$", ":", inspect.cleandoc(docstring).replace("``", "`"), flags=re.MULTILINE)


def _kind(part: type[Mechanism]) -> str:
    return str(part.model_fields["kind"].default)


def in_words(value: Any) -> str:
    """A value as a reader sees it, a distribution over firms with its law and its medians."""
    if not isinstance(value, Spread):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if value.low is not None and value.high is not None:
        return f"uniform {value.low:g} to {value.high:g}"
    words = f"median {value.median:g}"
    if value.sigma:
        words += f", {value.law}, sigma {value.sigma:g}"
    if value.by:
        words += "; " + ", ".join(f"{name} {median:g}" for name, median in value.by.items())
    return words
