"""What every report says alike: assumptions, how far the model is validated, how to do it again, data, and limits."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from ecosim import provenance
from ecosim.dossier.claims import listed
from ecosim.dossier.document import Listing, Paragraph, Points, Section, section, table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ecosim.config import Scenario
    from ecosim.dossier.document import Block, Table
    from ecosim.part import Part
    from ecosim.spread import Spread

MOST = 8  # settings of a part that are told
LETTERS = 90  # of a value
LIBRARIES = ("python", "numpy", "numba", "pandas", "pyarrow", "scipy", "mesa")
WORLD = {
    "table": "Firms and links are made up: what sectors sell to each other follows a national input-output table, and "
    "within that who supplies whom is drawn by the rules of the network. No firm is a real one.",
    "uniform": "All firms are made up and of one sort, so that structures can be compared on equal terms. No firm is a "
    "real one.",
    "given": "Firms and links are those that were given. What they hold in stock and how they act is assumed.",
}
LIMITS = (
    "It says what this model does under the assumptions above. It is no forecast of a place or a date.",
    "Most magnitudes of what firms and people do beyond the published core are assumptions. A result that matters "
    "should be shown over their ranges (ecosim sweep), not for their defaults alone.",
)


def assumptions(scenario: Scenario, *more: str, others: Mapping[str, Scenario] | None = None) -> Section:
    """What a scenario takes for granted: its world, its parts with all that is not default, and what is assumed.

    Of what is compared with it, ``others`` by name, the differences are told.
    """
    said = [WORLD[scenario.economy.kind]] if scenario.economy.kind in WORLD else []
    # A network that is imported brings its own firms.
    said = [WORLD["given"]] if getattr(scenario.network, "kind", "") == "imported" else said
    rules: dict[str, list[str]] = {}
    for name, each in {scenario.name: scenario, **(others or {})}.items():
        rules.setdefault(_assumed(each), []).append(name)
    said += [f"{listed(names)}: {rule}" if len(rules) > 1 else rule for rule, names in rules.items()]
    told = [
        f"{name} differs from {scenario.name} in: {'; '.join(differences(scenario, other)) or 'nothing'}."
        for name, other in (others or {}).items()
    ]
    return section("Assumptions", Points((*said, *told, *more)), settings(scenario))


def _assumed(scenario: Scenario) -> str:
    from ecosim.parameters import ASSUMED, parameters

    kinds = [getattr(part, "kind", "") for part in scenario.mechanisms]
    if not kinds:
        return "No mechanism is on: firms follow the published core of Inoue and Todo (2019) and nothing else."
    every = parameters()
    here = every[every["mechanism"].isin(kinds)]
    assumed = int((here["source"] == ASSUMED).sum())
    return (
        f"Firms and people do more than the published core of Inoue and Todo (2019): {listed(kinds)}. Of the "
        f"{len(here)} parameters of these, {assumed} are assumptions without a known source (docs/parameters.md)."
    )


def settings(scenario: Scenario) -> Table:
    """Every part of a scenario with what it sets otherwise than by default."""
    rows: list[tuple[str, str, str]] = []
    parts: list[tuple[str, Any]] = [("economy", scenario.economy), ("network", scenario.network)]
    for family in ("mechanisms", "shocks", "policies", "metrics"):
        parts += [(family, part) for part in getattr(scenario, family)]
    rows = [(family, getattr(part, "kind", type(part).__name__), _settings(part)) for family, part in parts]
    return table("What the scenario is made of; a part of which nothing is said has its defaults.",
                 ("part", "kind", "set otherwise than by default"), rows)  # fmt: skip


def _settings(part: Part) -> str:
    told = [f"{name} {here}" for name, here, usual in _worded(part) if here != usual]
    rest = len(told) - MOST
    return "; ".join(told[:MOST]) + (f"; and {rest} more" if rest > 0 else "")


def _worded(part: Part) -> list[tuple[str, str, str]]:
    """Fields of a part: name, value and default in words."""
    return [
        (name, _words(getattr(part, name)), _words(field.get_default(call_default_factory=True)))
        for name, field in type(part).model_fields.items()
        if name != "kind"
    ]


def _words(value: Any) -> str:
    """A value as people write it, cut where it is long."""
    text = _spelt(value)
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"


def _spelt(value: Any) -> str:
    from ecosim.part import Part
    from ecosim.spread import Spread

    if isinstance(value, Spread):
        return _spread(value)
    if isinstance(value, Part):
        inside = [f"{name} {here}" for name, here, usual in _worded(value) if here != usual]
        return ", ".join([*([value.kind] if hasattr(value, "kind") else []), *inside]) or "all"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_spelt(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(_spelt, value)) or "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _spread(value: Spread) -> str:
    """What differs between firms: its middle or its limits, how far it spreads, and who has another one."""
    middle = f"{value.low:g} to {value.high:g}" if value.median is None else f"{value.median:g}"
    spread = f" ({value.law}, sigma {value.sigma:g})" if value.sigma else ""
    others = ", ".join(f"{name} {median:g}" for name, median in value.by.items())
    return f"{middle}{spread}{f' ({others})' if others else ''}"


def differences(first: Scenario, other: Scenario) -> list[str]:
    """What another scenario has otherwise than the first, part by part."""
    mine, its = _parts(first), _parts(other)
    told = []
    for family in ("mechanisms", "shocks", "policies", "metrics"):
        for verb, some, than in (("with", its, mine), ("without", mine, its)):
            names = [name for of, name in some if of == family and (of, name) not in than]
            told += [f"{verb} the {family} {listed(names)}"] if names else []
    for key, part in its.items():
        here = mine.get(key)
        if here is None or here == part:
            continue
        if type(here) is not type(part):
            told.append(f"{key[0]} {part.kind} (not {here.kind})")
            continue
        changed = [
            f"{name} {now} (not {before})"
            for (name, now, _), (_, before, _) in zip(_worded(part), _worded(here), strict=True)
            if now != before
        ]
        told += [f"{' '.join(filter(None, key))}: {', '.join(changed)}"] if changed else []
    return told


def _parts(scenario: Scenario) -> dict[tuple[str, str], Any]:
    """Parts of a scenario by family and, where there are several, by name or kind, with a number where two share it."""
    found: dict[tuple[str, str], Any] = {("economy", ""): scenario.economy, ("network", ""): scenario.network}
    for family in ("mechanisms", "shocks", "policies", "metrics"):
        for part in getattr(scenario, family):
            name = getattr(part, "label", "") or getattr(part, "kind", type(part).__name__)
            same = sum(of == family and (each == name or each.startswith(f"{name} #")) for of, each in found)
            found[family, f"{name} #{same + 1}" if same else name] = part
    return found


# --- how sure ---------------------------------------------------------------------------------------------------------


def validation(made: Mapping[str, Any]) -> Section:
    """How far the model is validated, from the record that ships with it."""
    from ecosim.validation.record import Record

    record = Record.load()
    judged, missed = record.judged, record.missed
    said = (
        f"When everything was last measured ({record.date}, ecosim {record.version}), {len(judged) - len(missed)} of "
        f"{len(judged)} checks against published results, closed forms and data were met; ecosim validate measures "
        "them again."
    )
    other = made.get("code") != record.code
    blocks: list[Block] = [Paragraph(said)]
    if other:
        blocks.append(
            Paragraph(
                f"This result was made by other code ({made.get('code', 'not recorded')}) than was measured then "
                f"({record.code}).",
                warning=True,
            )
        )
    if missed:
        told = (
            f"{check['subject']}: {check['what']}{', ' + check['unit'] if check['unit'] else ''}: expected "
            f"{check['expected']:.4g}, measured {check['measured']:.4g} ({check['source']})."
            for check in missed
        )
        blocks += [Paragraph("What was missed:"), Points(tuple(told))]
    rows = [(name, judged_, met) for name, judged_, met in record.by_subject()]
    return section(
        "How far the model is validated", blocks, table("Checks by subject.", ("subject", "checks", "met"), rows)
    )


# --- how to do it again -----------------------------------------------------------------------------------------------


def reproduction(folder: Path, commands: list[str], made: Mapping[str, Any], *more: tuple[str, str]) -> Section:
    """How to find the same numbers again, and how to see that they are the same."""
    place = shlex.quote(str(folder))
    typed = made.get("command")
    told = [
        f"Made by: {shlex.join(typed)}" if typed else "Made from Python, or by an ecosim that did not note the command."
    ]
    rows = [(name, value) for name, value in (*more, *_facts(made)) if value]
    return section(
        "How to reproduce it",
        Paragraph(told[0]),
        Listing("\n".join([*commands, f"ecosim verify {place}"]), "To make it again, and to check every bit of it:"),
        table("What it was made with.", ("what", "value"), rows),
    )


def _facts(made: Mapping[str, Any]) -> list[tuple[str, str]]:
    versions = made.get("versions", {})
    digest = made.get("scenario_sha256", "")
    digests = digest.items() if isinstance(digest, dict) else [("", digest)]
    return [
        *((f"SHA-256 of the scenario{f' {name}' if name else ''}", value) for name, value in digests),
        ("seed", str(made.get("seed", ""))),
        ("ecosim", versions.get("ecosim", "")),
        ("its code", made.get("code", "")),
        ("libraries", ", ".join(f"{name} {versions[name]}" for name in LIBRARIES if name in versions)),
        ("platform", made.get("platform", "")),
    ]


def data(made: Mapping[str, Any]) -> Section:
    """Which data it rests on, and under which terms."""
    rows = [
        (entry["source"], entry["terms"], entry["citation"], "; ".join(f"{n} {s}" for n, s in entry["files"].items()))
        for entry in made.get("data", [])
    ]
    rows += [
        (f"{name} (a file of whoever made this)", "those of the file", "", f"{total}")
        for name, total in made.get("imported", {}).items()
    ]
    title = "Data and licences"
    end = Paragraph("ecosim itself is under the MIT licence.")
    if not rows:
        return section(title, Paragraph("No data were used: the economy is made up."), end)
    return section(
        title, table("Data, terms, and how to cite them.", ("source", "terms", "cite", "SHA-256"), rows), end
    )


def changed(made: Mapping[str, Any]) -> list[Block]:
    """A warning for each thing that is not as it was when the folder was made."""
    return [Paragraph(word, warning=True) for word in provenance.changes(made)]


def limits(*own: str) -> Section:
    """What must not be read into it."""
    return section("Limits", Points((*own, *LIMITS)))


def colophon(made: Mapping[str, Any]) -> str:
    """A line that identifies the result."""
    version = made.get("versions", {}).get("ecosim", "")
    digest = made.get("scenario_sha256", "")
    first = next(iter(digest.values()), "") if isinstance(digest, dict) else digest
    known = [f"ecosim {version}", f"code {made.get('code', 'unknown')}", f"seed {made.get('seed', 'unknown')}"]
    return "; ".join([*known, *([f"scenario {first[:16]}"] if first else [])])
