"""Ecosystems of one's own: scenarios in YAML and networks in CSV, from people whose files are not trusted.

A file is counted while it arrives, read in a worker, names no code and no other file, and stays in its session.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING, Any

import solara

from ecosim import InputError, Scenario

from . import jobs
from .controls import Button
from .worlds import Own, refuse_too_much, runs_of

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_YAML = 1_000_000
MOST_CSV = 4_000_000
LIMITS = {"yaml": MOST_YAML, "firms": MOST_CSV, "links": MOST_CSV}
MOST_FIRMS = 10_000
MOST_LINKS = 60_000
MOST_COLUMNS = 100
READING = 20_000_000
"""Firm-days that reading a file counts as: what takes a worker seconds is no free ride."""
LONGEST_NAME = 60

#: What this session has uploaded, and what was wrong with the last file.
mine: solara.Reactive[Own | None] = solara.reactive(None)


# --- reading, in a worker --------------------------------------------------------------------------------------------


def read_yaml(raw: bytes, name: str) -> Own:
    """A scenario of one's own. Raises InputError with file, line and mend; for code, other files and too much."""
    title = plain_name(name)
    _refuse_large(raw, MOST_YAML, title)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"{title}:{line}: byte {raw[error.start]:#04x} is not UTF-8; save the file as UTF-8") from None
    if "\0" in text:
        raise InputError(f"{title}: a binary file, not text; a scenario is a YAML text file")
    of = Scenario.from_yaml(text, name=title, allow_code=False)
    _refuse_files(of, title)
    return _checked(of, raw, title)


def read_csv(firms: bytes, links: bytes, names: tuple[str, str] = ("firms.csv", "links.csv")) -> Own:
    """A network of one's own from two CSV files (see docs/import.md). Raises InputError with file, line and mend."""
    from ecosim.calibration.imports import blueprint_from_frames, csv_table

    tables = []
    for raw, name, most in ((firms, names[0], MOST_FIRMS), (links, names[1], MOST_LINKS)):
        title = plain_name(name)
        _refuse_large(raw, MOST_CSV, title)
        columns = re.split(rb"[\r\n]", raw.lstrip(), maxsplit=1)[0].count(b",") + 1
        if columns > MOST_COLUMNS:
            raise InputError(
                f"{title}:1: {columns:,} columns; at most {MOST_COLUMNS} can be sent. Leave the others out."
            )
        frame, source = csv_table(raw, title)
        if len(frame) > most:
            raise InputError(
                f"{title}: {len(frame):,} rows; at most {most:,} can be sent. Run it yourself: ecosim run."
            )
        tables.append((frame, source))
    (firm_table, firm_source), (link_table, link_source) = tables
    blueprint_from_frames(firm_table, link_table, firms_source=firm_source, links_source=link_source)
    of = Scenario.model_validate(
        {
            "name": plain_name(names[0]).rpartition(".")[0] or "own network",
            "days": 180,
            "economy": {"kind": "given"},
            "network": {"kind": "imported", "firms": firm_table, "links": link_table},
        }
    )
    return _checked(of, firms + b"\0" + links, plain_name(names[0]))


def plain_name(name: str) -> str:
    """A file's name as it may be shown: no folders, no control characters, not long."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C")[:LONGEST_NAME].strip(". ")
    return shown or "your file"


def _refuse_large(raw: bytes, most: int, title: str) -> None:
    if len(raw) > most:
        raise InputError(f"{title}: more than {most / 1e6:g} MB; at most that much can be sent.")
    if not raw.strip():
        raise InputError(f"{title}: it is empty")


def _refuse_files(of: Scenario, title: str) -> None:
    """A stranger's scenario opens no file of this machine, wherever it names one."""
    for path, part in _parts(of, ""):
        for field in ("firms", "links", "graphml", "replay"):
            value = getattr(part, field, None)
            if isinstance(value, str):
                raise InputError(
                    f"{title}: {path}{field}: names a file, and an upload may not open files of the server; write the "
                    "rows into the scenario, or upload firms and links as CSV"
                )


def _parts(part: Any, path: str) -> list[tuple[str, Any]]:
    """A part of a scenario and all parts inside it, each with its path."""
    found = [(path, part)]
    for name in type(part).model_fields:
        value = getattr(part, name)
        inside = enumerate(value) if isinstance(value, tuple) else [("", value)]
        for at, one in inside:
            if hasattr(type(one), "model_fields"):
                found += _parts(one, f"{path}{name}." + (f"{at}." if at != "" else ""))
    return found


def _checked(of: Scenario, raw: bytes, title: str) -> Own:
    """Build it once, so that what cannot be built is told now."""
    from ecosim.build import build
    from ecosim.rng import Streams

    refuse_too_much(of, runs_of(of))
    build(of.economy, of.network, Streams(of.seed, 0))
    return Own(f"own-{hashlib.sha256(raw).hexdigest()[:12]}", title, of)


# --- arriving --------------------------------------------------------------------------------------------------------


class Arriving:
    """Parts of a file as the browser sends them: whatever it says of the size, no more than ``most`` is kept."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.raw = bytearray()
        self.id = ""

    def take(self, part: Any) -> tuple[str, bytes] | None:
        """Add a part; the name and contents once the last one is there. Raises InputError for too much or nonsense."""
        try:
            number, name, at, last = str(part["id"]), str(part["name"]), int(part["at"]), bool(part["last"])
            data = base64.b64decode(part["data"], validate=True)
        except (KeyError, TypeError, ValueError, OverflowError):  # the last of an infinite place
            raise InputError("The file did not arrive whole; choose it again.") from None
        if at == 0:
            self.raw, self.id = bytearray(), number
        if number != self.id or at != len(self.raw):
            raise InputError("The file did not arrive whole; choose it again.")
        if len(self.raw) + len(data) > self.most:
            self.raw, self.id = bytearray(), ""
            raise InputError(f"{plain_name(name)}: more than {self.most / 1e6:g} MB; at most that much can be sent.")
        self.raw += data
        if not last:
            return None
        found = plain_name(name), bytes(self.raw)
        self.raw, self.id = bytearray(), ""
        return found


@solara.component_vue("upload.vue")
def _File(label: str, help: str, accept: str, limit: int, busy: bool, event_part: Callable[[Any], None]) -> None:
    """A native file input, which takes a dropped file too, and sends it in parts."""


@solara.component
def Upload(on_own: Callable[[Own], None]) -> None:
    """Three file inputs and what was wrong, in place. A file that cannot be used changes nothing else."""
    error, set_error = solara.use_state("")
    busy, set_busy = solara.use_state(False)
    tables, set_tables = solara.use_state({})
    arriving = solara.use_memo(
        lambda: {"yaml": Arriving(MOST_YAML), "firms": Arriving(MOST_CSV), "links": Arriving(MOST_CSV)}, []
    )
    work, set_work = solara.use_state(None)

    def took(kind: str) -> Callable[[Any], None]:
        def part(given: Any) -> None:
            try:
                whole = arriving[kind].take(given)
            except InputError as wrong:
                set_error(str(wrong))
                return
            if whole is None:
                return
            set_error("")
            name, raw = whole
            if kind == "yaml":
                set_work((read_yaml, (raw, name)))
                return
            both = {**tables, kind: (name, raw)}
            set_tables(both)
            if len(both) == 2:
                set_work((read_csv, (both["firms"][1], both["links"][1], (both["firms"][0], both["links"][0]))))

        return part

    def read() -> None:
        if work is None:
            return
        set_busy(True)
        try:
            jobs.charge(READING)
            own = jobs.submit(work[0], *work[1]).result(timeout=60)
        except InputError as wrong:
            set_error(str(wrong))
        except Exception as wrong:
            set_error(f"This file could not be read ({type(wrong).__name__}). Choose another one.")
        else:
            mine.value = own
            on_own(own)
        set_busy(False)

    solara.use_thread(read, dependencies=[work])
    _File(
        label="Scenario (YAML)", help="At most 1 MB. As ecosim run takes it; no code and no other files.",
        accept=".yaml,.yml", limit=MOST_YAML, busy=busy, event_part=took("yaml"),
    )  # fmt: skip
    _File(
        label="Firms (CSV)", help="Columns firm, sector, final_demand; may have region, customer, type, x, y.",
        accept=".csv", limit=MOST_CSV, busy=busy, event_part=took("firms"),
    )  # fmt: skip
    _File(
        label="Links (CSV)", help="Columns supplier, client, flow; may have importance. Firms and links come together.",
        accept=".csv", limit=MOST_CSV, busy=busy, event_part=took("links"),
    )  # fmt: skip
    if len(tables) == 1:
        there = next(iter(tables))
        text = f"{tables[there][0]} is here; now the {'links' if there == 'firms' else 'firms'}."
        solara.v.Html(tag="p", class_="upl-help", children=[text])
    if busy:
        solara.v.Html(tag="p", class_="upl-help", children=["Reading …"])
    if error:
        solara.v.Html(tag="p", class_="upl-bad", attributes={"role": "alert"}, children=[error])
        Button("Close", lambda: set_error(""), "quiet")
