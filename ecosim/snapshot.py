"""The whole state of an ecosystem in one file of arrays and JSON: no pickle, so opening one runs no code."""

from __future__ import annotations

import json
import struct
import tokenize
import zipfile
import zlib
from dataclasses import fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mesa.time import EventGenerator, Priority, Schedule

from ecosim.blueprint import Blueprint, Firms
from ecosim.config import Scenario
from ecosim.errors import InputError
from ecosim.folders import NewFile
from ecosim.rows import Roster

if TYPE_CHECKING:
    from ecosim.model import Ecosystem

FORMAT = 2
#: How numpy, zipfile and json complain about a file that is cut short, altered, or something else altogether.
DAMAGED = (
    OSError, EOFError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError, SyntaxError,
    zipfile.BadZipFile, zlib.error, tokenize.TokenError, struct.error,
)  # fmt: skip
TEXTS = ("sector_names", "region_names", "name", "customer_names", "notes", "sources")
LINKS = ("supplier", "flow", "stock", "ordered", "delivered")
AGENT_OWN = frozenset({"model", "unique_id", "pos", "_world", "_table", "_row"})


def save(eco: Ecosystem, path: str | Path) -> None:
    """Write ``eco`` to ``path`` (a .npz archive), whole or not at all; a file of that name is replaced.

    What you attached to the model yourself (a DataCollector, say) is not saved; pickle keeps it.
    """
    if len(eco._event_list) != 1:
        raise InputError(
            "events scheduled with Mesa are functions and cannot be saved; let them happen or cancel them first, "
            "or pickle the model instead"
        )
    world = eco.world
    arrays = {f"plan.{name}": value for name, value in _plan_parts(world.plan).items() if name not in TEXTS}
    arrays |= {f"firms.{name}": column for name, column in world.firms.columns.items()}
    arrays |= {f"customers.{name}": column for name, column in world.customers.columns.items()}
    arrays |= {f"links.{name}": getattr(world.links, name) for name in LINKS}
    arrays |= {f"link.{name}": column for name, column in world.links.columns.items()}
    if world.money is not None:
        arrays |= {"money.accounts": world.money.accounts}
        arrays |= {f"flow.{item}": flow for item, flow in world.money.flows.items()}
    for label, memory in world.memory.items():
        arrays |= {f"memory.{label}.{name}": value for name, value in memory.items()}
    for at, event in enumerate(world.events):
        arrays |= {f"event.{at}.rows": event["rows"], f"event.{at}.amount": event["amount"]}
    arrays |= {"series": eco._series, "kind": eco.roster.kind}
    state = {
        "format": FORMAT,
        "ecosim": version("ecosim"),
        "scenario": eco.scenario.to_yaml(),
        "seed": eco.seed,
        "replicate": eco.replicate,
        "threads": eco.threads,
        "day": world.day,
        "steps": eco.steps,
        "time": eco.time,
        "next_day": eco._default_schedule.next_scheduled_time,
        "running": eco.running,
        "plan": {name: value for name, value in _plan_parts(world.plan).items() if name in TEXTS},
        "classes": [_address(cls) for cls in eco.roster.classes],
        "arrays": {name: [str(value.dtype), *value.shape] for name, value in arrays.items()},
        "events": [[event["day"], event["event"], event["damage"]] for event in world.events],
        "remarks": world.remarks,
        "sources": world.sources,
        "memory": [[label, name] for label, memory in world.memory.items() for name in memory],
        "random": eco.random.getstate(),
        "rng": eco.rng.bit_generator.state,
        "agents": {row: _own_attributes(agent) for row, agent in eco.roster.touched.items()},
    }
    with NewFile(path, replace=True) as half, half.open("wb") as file:
        np.savez(file, allow_pickle=False, state=np.array(json.dumps(state)), **arrays)


def restore(cls: type[Ecosystem], path: str | Path, *, allow_code: bool = False) -> Ecosystem:
    """Return the ecosystem saved at ``path``, which continues to the bit.

    Classes of your own are imported only with ``allow_code``. Raises InputError for anything but such a file.
    """
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
        state = json.loads(str(arrays.pop("state")))
        known = state.get("format") != FORMAT or state["arrays"] == {
            name: [str(value.dtype), *value.shape] for name, value in arrays.items()
        }
        if not known:
            raise ValueError("some of its arrays are missing or changed")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; give one written by Ecosystem.save") from None
    except DAMAGED as error:
        raise InputError(f"{path}: not an ecosystem saved by ecosim, or damaged ({error})") from None
    if state.get("format") != FORMAT:
        raise InputError(f"{path}: format {state.get('format')!r}, this version reads {FORMAT}; it was saved by ecosim "
                         f"{state.get('ecosim')}")  # fmt: skip
    classes = _classes(state["classes"], allow_code, path)
    scenario = Scenario.from_yaml(state["scenario"], name=str(path), allow_code=allow_code)
    eco = cls(
        scenario.with_({"shocks": [], "policies": []}),
        rng=state["seed"],
        blueprint=_plan(arrays, state["plan"]),
        threads=state["threads"],
        replicate=state["replicate"],
    )
    eco._resume(scenario)
    _fill(eco, arrays, state, classes)
    return eco


def _fill(eco: Ecosystem, arrays: dict[str, Any], state: dict[str, Any], classes: list[Any]) -> None:
    world = eco.world
    for table, label in ((world.firms, "firms"), (world.customers, "customers")):
        for name, value in arrays.items():
            family, _, column = name.partition(".")
            if family == label:
                table.put(column, value)
    links = world.links
    for name in LINKS:
        setattr(links, name, arrays[f"links.{name}"])
    links.columns = {name.removeprefix("link."): value for name, value in arrays.items() if name.startswith("link.")}
    links.index()  # by supplier: it follows from them
    if world.money is not None:
        world.money.accounts = arrays["money.accounts"]
        flows = {name.removeprefix("flow."): value for name, value in arrays.items() if name.startswith("flow.")}
        world.money.flows = flows
    world.day = state["day"]
    world.remarks, world.sources = state["remarks"], state["sources"]
    world.memory = {}
    for label, name in state["memory"]:
        world.memory.setdefault(label, {})[name] = arrays[f"memory.{label}.{name}"]
    world.events = [
        {
            "day": day,
            "event": event,
            "rows": arrays[f"event.{at}.rows"],
            "amount": arrays[f"event.{at}.amount"],
            "damage": damage,
        }
        for at, (day, event, damage) in enumerate(state["events"])
    ]
    # Today's sheet is rewritten each morning, but the morning must know which columns are not at rest.
    world.sheet.written = set(world.sheet.channels)
    eco._series = arrays["series"]
    eco._enrol_as(classes, arrays["kind"])
    version_, internal, gauss = state["random"]
    eco.random.setstate((version_, tuple(internal), gauss))
    eco.rng.bit_generator.state = state["rng"]
    for row, own in state["agents"].items():
        eco.roster.agent(int(row), set_up=False).__dict__.update(own)
    eco.steps, eco.running = state["steps"], state["running"]
    _set_clock(eco, state["time"], state["next_day"])


def _set_clock(eco: Ecosystem, now: float, next_day: float) -> None:
    """Move Mesa's clock: the daily event that the model made for time 1 must come at ``next_day`` instead."""
    eco._default_schedule.stop()
    eco._event_list.clear()
    eco.time = now
    eco._default_schedule = EventGenerator(
        eco, eco._do_step, Schedule(interval=1.0, start=next_day), priority=Priority.HIGH
    ).start()


def _plan_parts(plan: Blueprint) -> dict[str, Any]:
    parts = {field.name: getattr(plan, field.name) for field in fields(plan) if field.name != "firms"}
    return parts | {field.name: getattr(plan.firms, field.name) for field in fields(plan.firms)}


def _plan(arrays: dict[str, Any], texts: dict[str, Any]) -> Blueprint:
    parts = {name.removeprefix("plan."): value for name, value in arrays.items() if name.startswith("plan.")}
    parts |= {name: tuple(value) if isinstance(value, list) else value for name, value in texts.items()}
    firms = Firms(**{field.name: parts.pop(field.name) for field in fields(Firms)})
    return replace(Blueprint(firms=firms, **parts))


def _own_attributes(agent: Any) -> dict[str, Any]:
    own = {name: value for name, value in vars(agent).items() if name not in AGENT_OWN}
    try:
        if _same(json.loads(json.dumps(own)), own):
            return own
    except (TypeError, ValueError):
        pass
    raise InputError(
        f"agent {agent.unique_id} ({type(agent).__name__}) has attributes that JSON cannot hold exactly: "
        f"{', '.join(own)}; keep numbers, texts, lists and dicts, or pickle the model instead"
    )


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal and of equal types throughout."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _address(cls: type) -> str:
    from ecosim.model import class_named

    address = f"{cls.__module__}:{cls.__qualname__}"
    if class_named(address, cls.__name__) is not cls:
        raise InputError(f"{cls.__name__}: {address} names another class now; give your class a name of its own")
    return address


def _classes(names: list[str], allow_code: bool, path: str | Path) -> list[Any]:
    from ecosim.model import class_named

    stock = {f"{cls.__module__}:{cls.__qualname__}": cls for cls in Roster.stock_classes}
    own = [name for name in names if name not in stock]
    if own and not allow_code:
        raise InputError(f"{path}: its firms follow {own[0]}, code of your own; restore it with allow_code=True")
    return [stock.get(name) or class_named(name, str(path)) for name in names]
