"""YAML text to plain values, with the place of every key and value, and no way to run anything.

The parser's events are read one by one, so that a hostile file is refused while it is being read: deep nesting,
aliases that multiply, tags. Nothing is constructed but dicts, lists, text, numbers, booleans and null.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim.config.errors import Problem, ScenarioError, refuse
from ecosim.config.plain import scalar
from ecosim.config.syntax import misread

if TYPE_CHECKING:
    from os import PathLike

MOST_BYTES = 1_000_000
MOST_VALUES = 50_000
MOST_LEVELS = 40

Step = str | int


@dataclass
class Node:
    """A value in the text. ``content`` is a scalar, a list of nodes, or a dict of key to (key's node, value)."""

    content: Any
    line: int
    column: int
    size: int = 1
    height: int = 1
    closed: bool = True

    def plain(self) -> Any:
        """Return the value without places."""
        if isinstance(self.content, dict):
            return {key: value.plain() for key, (_, value) in self.content.items()}
        if isinstance(self.content, list):
            return [item.plain() for item in self.content]
        return self.content


@dataclass
class Document:
    """A text that was read: its values, their places, and what was wrong but could be read on."""

    name: str
    root: Node
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: tuple[Step, ...], *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value at ``path`` (or of its key), or of the nearest thing around it."""
        node = self.root
        at = (node.line, node.column)
        for depth, step in enumerate(path, 1):
            if isinstance(node.content, dict) and step in node.content:
                label, node = node.content[step]
                at = (label.line, label.column) if key and depth == len(path) else (node.line, node.column)
            elif isinstance(node.content, list) and isinstance(step, int) and step < len(node.content):
                node = node.content[step]
                at = (node.line, node.column)
            else:
                break
        return at


def read_text(path: str | PathLike[str]) -> str:
    """Read a YAML file as UTF-8 text, or say why it cannot be."""
    file = str(path)
    try:
        with Path(path).open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        beside = _beside(Path(path))
        raise refuse("", f"no such file{beside}", file=file) from None
    except IsADirectoryError:
        raise refuse("", "this is a folder; name a YAML file in it", file=file) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise refuse("", f"cannot be read: {reason}", file=file) from None
    if len(raw) > MOST_BYTES:
        message = f"larger than {MOST_BYTES:,} bytes; keep tables in CSV files and name them in the scenario"
        raise refuse("", message, file=file)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refuse("", "saved as UTF-16; save it as UTF-8", file=file)
    if b"\0" in raw:
        raise refuse("", "a binary file, not text; a scenario is a YAML text file", file=file)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"byte {raw[error.start]:#04x} is not UTF-8; save the file as UTF-8"
        raise ScenarioError([Problem(file, line, column, "", message)]) from None


def _beside(path: Path) -> str:
    import difflib

    try:
        names = [item.name for item in path.parent.iterdir() if item.suffix in {".yaml", ".yml"}]
    except OSError:
        return ""
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean '{path.parent / close[0]}'?" if close else ""


def parse(text: str, name: str) -> Document:
    """Read YAML 1.2 text. Raises ScenarioError where nothing sensible can follow; lesser problems are collected."""
    # 0.1 s that scenarios made in Python do not pay.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if len(text) > MOST_BYTES:
        raise refuse("", f"longer than {MOST_BYTES:,} characters", file=name)
    builder = _Builder(name)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except YAMLError as error:
        line, column, message = misread(error, text)
        raise ScenarioError([*builder.problems, Problem(name, line, column, "", message)]) from None
    except (ValueError, OverflowError) as error:
        if isinstance(error, ScenarioError):
            raise
        message = "an escape such as \\U00110000 in double quotes names no character; use single quotes"
        raise ScenarioError([Problem(name, None, None, "", message)]) from None
    if builder.root is None:
        raise refuse("", "empty; a scenario needs at least one key, for example 'days: 365'", file=name)
    return Document(name, builder.root, builder.problems)


def parse_value(text: str) -> Any:
    """Read one value as YAML would: a bare word or number, quoted text, or a list or mapping in brackets."""
    word = text.strip()
    if not word.startswith(tuple("[{'\"&*!|>")):
        return scalar(word)
    document = parse(word, "value")
    if document.problems:
        raise ScenarioError(document.problems)
    return document.root.plain()


@dataclass
class _Open:
    """A list or mapping still being read, and the key that waits for its value."""

    node: Node
    path: tuple[Step, ...]
    key: Node | None = None


class _Builder:
    """Builds the tree from the parser's events without recursion."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._count = 0

    def take(self, event: Any) -> None:
        """Take in one event of the parser; the name of its class says what it is."""
        kind = type(event).__name__
        if kind == "DocumentStartEvent" and self.root is not None:
            raise self._stop(event, "a second document starts here; a file holds one scenario")
        if kind == "ScalarEvent":
            self._add(event, self._scalar(event))
        elif kind == "AliasEvent":
            self._add(event, self._alias(event))
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self._start(event, {} if kind == "MappingStartEvent" else [])
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            self._end()

    def _scalar(self, event: Any) -> Node:
        self._untagged(event)
        node = self._node(event, event.value)
        if any("\ud800" <= letter <= "\udfff" for letter in event.value):
            self._note(event, "half of a surrogate pair is no character; write the character itself")
            node.content = ""
        elif event.style is None and not self._awaits_key() and event.tag is None:
            key = self._open[-1].key if self._open else None
            if not event.value and key is not None:  # the parser places nothing where the next thing begins
                node.line, node.column = key.line, key.column
            try:
                node.content = scalar(event.value)
            except ValueError as error:
                self._note(event, str(error))
        return node

    def _alias(self, event: Any) -> Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            self._note(event, f"*{event.anchor} refers to nothing; write &{event.anchor} before the value it repeats")
            return self._node(event, None)
        if not node.closed:
            raise self._stop(event, f"*{event.anchor} stands inside the value it repeats")
        if isinstance(node.content, dict | list) and self._awaits_key():
            return self._node(event, [])
        # The tree is shared, so a few lines of aliases cost nothing to read, and millions of values to use.
        self._spend(event, node.size)
        if len(self._open) + node.height > MOST_LEVELS:
            raise self._stop(event, f"more than {MOST_LEVELS} levels deep")
        return node

    def _start(self, event: Any, content: Any) -> None:
        self._untagged(event)
        if len(self._open) >= MOST_LEVELS:
            raise self._stop(event, f"more than {MOST_LEVELS} levels deep")
        node = self._node(event, content)
        node.closed = False
        path = self._path()
        if self._awaits_key():
            self._note(event, "a key must be a word, not a list or a mapping")
        self._open.append(_Open(node, path))

    def _end(self) -> None:
        done = self._open.pop()
        done.node.closed = True
        self._add(None, done.node)

    def _add(self, event: Any, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        container = parent.node.content
        if isinstance(container, list):
            container.append(node)
        elif parent.key is None:
            parent.key = self._key(event, node)
            return
        else:
            key, parent.key = parent.key, None
            if key.content in container:
                first = container[key.content][0].line
                message = f"this key stands on line {first} already; keep one of the two"
                path = ".".join(str(step) for step in (*parent.path, key.content))
                self.problems.append(Problem(self.name, key.line, key.column, path, message))
            else:
                container[key.content] = (key, node)
        parent.node.size += node.size
        parent.node.height = max(parent.node.height, node.height + 1)

    def _key(self, event: Any, node: Node) -> Node:
        if event is not None and event.__class__.__name__ == "ScalarEvent":
            if node.content == "<<" and event.style is None:
                self._note(event, "merge keys are not part of YAML 1.2; write the keys out")
            return Node(node.content, node.line, node.column)
        return Node(node.content if isinstance(node.content, str) else "?", node.line, node.column)

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].node.content, dict) and self._open[-1].key is None

    def _path(self) -> tuple[Step, ...]:
        if not self._open:
            return ()
        parent = self._open[-1]
        if isinstance(parent.node.content, list):
            return (*parent.path, len(parent.node.content))
        return parent.path if parent.key is None else (*parent.path, parent.key.content)

    def _node(self, event: Any, content: Any) -> Node:
        self._spend(event, 1)
        node = Node(content, event.start_mark.line + 1, event.start_mark.column + 1)
        if getattr(event, "anchor", None) and type(event).__name__ != "AliasEvent":
            self._anchors[event.anchor] = node
        return node

    def _spend(self, event: Any, values: int) -> None:
        self._count += values
        if self._count > MOST_VALUES:
            raise self._stop(event, f"more than {MOST_VALUES:,} values, aliases counted each time they are used")

    def _untagged(self, event: Any) -> None:
        if event.tag is not None:
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")[:40]
            self._note(event, f"the tag {shown} is not allowed; write the value plainly, text in quotes")

    def _note(self, event: Any, message: str) -> None:
        self.problems.append(self._problem(event, message))

    def _stop(self, event: Any, message: str) -> ScenarioError:
        return ScenarioError([*self.problems, self._problem(event, message)])

    def _problem(self, event: Any, message: str) -> Problem:
        path = ".".join(str(step) for step in self._path())
        return Problem(self.name, event.start_mark.line + 1, event.start_mark.column + 1, path, message)
