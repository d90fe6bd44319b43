"""Scenarios: read, refused with their place and mend, changed, written back."""

from __future__ import annotations

import pickle
import subprocess
import sys
import textwrap
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim.config import FAMILIES, Problem, Scenario, ScenarioError, edits, find, known, load, parse_set, schema
from ecosim.config.kinds import Family
from ecosim.config.plain import scalar
from ecosim.part import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = (
    "from typing import Any, Literal, Self\nfrom pydantic import Field, model_validator\nfrom ecosim.part import Part\n"
)

TOY = {
    "economies/table.py": """
        class Table(Part):
            '''Firms out of a table.'''
            kind: Literal["table"] = "table"
            firms: int = Field(default=100, ge=2, le=1000)
            '''Number of firms.'''
            growth: float = 0.0
            shares: dict[str, float] = Field(default_factory=lambda: {"food": 0.5})
            note: str | None = None
            @model_validator(mode="after")
            def _fits(self) -> Self:
                if self.firms == 13:
                    raise ValueError("firms: 13 is bad luck; give 14")
                return self
    """,
    "networks/reconstructed.py": """
        class Reconstructed(Part):
            kind: Literal["reconstructed"] = "reconstructed"
            suppliers: int = Field(default=5, ge=1, le=1000)
    """,
    "networks/ring.py": """
        class _Hidden(Part):
            kind: Literal["ring"] = "ring"
        class Ring(Part):
            '''A circle.'''
            kind: Literal["ring"] = "ring"
            suppliers: int = Field(default=3, ge=1, le=1000)
            span: float = Field(default=1.0, gt=0)
    """,
    "networks/drawn.py": """
        class Drawn(Part):
            kind: Literal["drawn"] = "drawn"
            graph: Any = None
            times: int = 1
    """,
    "networks/network.py": """
        from abc import ABC, abstractmethod
        class Network(Part, ABC):
            kind: str = ""
            @abstractmethod
            def wire(self) -> None: ...
    """,
    "networks/shaken.py": """
        from pydantic import SerializeAsAny, field_validator
        from ecosim.config import find
        from toyecosim.networks.network import Network
        class Shaken(Network):
            '''Another network, shaken.'''
            kind: Literal["shaken"] = "shaken"
            of: SerializeAsAny[Network]
            @field_validator("of", mode="before")
            @classmethod
            def _find(cls, value: Any) -> Any:
                return find("network", value["kind"]).model_validate(value) if isinstance(value, dict) else value
            def wire(self) -> None: ...
    """,
    "networks/star.py": """
        from toyecosim.networks.network import Network
        class Star(Network):
            kind: Literal["star"] = "star"
            arms: int = 3
            legs: int = 2
            def wire(self) -> None: ...
    """,
    "networks/helper.py": "class Helper(Part):\n    kind: str = ''\n",
    "shocks/outage.py": """
        class Who(Part):
            sector: str | tuple[str, ...] | None = None
            share: float = Field(default=1.0, gt=0, le=1)
        class Outage(Part):
            kind: Literal["outage"] = "outage"
            severity: float | dict[str, float] = 1.0
            days: tuple[int, ...] = (1, 2)
            shape: Literal["step", "ramp"] = "step"
            who: Who = Who()
            hard: bool = False
    """,
    "mechanisms/prices.py": """
        class Prices(Part):
            kind: Literal["prices"] = "prices"
            steps: tuple[int, ...] = ()
            goods: frozenset[str] = frozenset()
            @model_validator(mode="before")
            @classmethod
            def _look(cls, data: Any) -> Any:
                return dict(data)
    """,
    "policies/aid.py": """
        class Aid(Part):
            '''Money for some.'''
            kind: Literal["aid"] = "aid"
            amount: float
            file: str | None = None
    """,
    "metrics/gini.py": "class Gini(Part):\n    kind: Literal['gini'] = 'gini'\n",
    "own.py": """
        from abc import ABC, abstractmethod
        class Mine(Part):
            '''A user's class.'''
            strength: int = 2
        class Half(Part, ABC):
            @abstractmethod
            def wire(self) -> None: ...
        def function() -> None: ...
    """,
    "broken.py": "raise RuntimeError('on purpose')\n",
    "needy.py": "import not_there_at_all\n",
}
REAL = dict(FAMILIES)


@pytest.fixture(scope="module", autouse=True)
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Families of our own in a folder, so that no test depends on what the simulator happens to offer."""
    root = tmp_path_factory.mktemp("toy")
    for name, text in TOY.items():
        file = root / "toyecosim" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(HEAD + textwrap.dedent(text), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root))
        for field, family in REAL.items():
            package = family.package.replace("ecosim", "toyecosim", 1)
            patch.setitem(FAMILIES, field, Family(package, family.noun, many=family.many))
        yield root


def errors(text: str, **options: Any) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_yaml(textwrap.dedent(text), name="x.yaml", **options)
    return str(caught.value).splitlines()


def refused(scenario: Scenario, changes: dict[str, object]) -> str:
    with pytest.raises(ScenarioError) as caught:
        scenario.with_(changes)
    return str(caught.value)


def full() -> Scenario:
    return Scenario.from_yaml("""
name: a town
economy: {kind: table, firms: 50}
network: {kind: ring, suppliers: 4, span: 2.5}
shocks:
  - {kind: outage, severity: 0.5, days: [3, 4]}
  - outage
metrics: [gini]
""")


# Kinds


def test_every_file_is_a_kind_and_helpers_are_not() -> None:
    assert known("network") == ["drawn", "reconstructed", "ring", "shaken", "star"]
    assert known("metrics") == ["gini"]


def test_a_new_file_is_a_new_kind(toy: Path) -> None:
    file = toy / "toyecosim/shocks/flood.py"
    file.write_text(f"{HEAD}class Flood(Part):\n    kind: Literal['flood'] = 'flood'\n", encoding="utf-8")
    try:
        assert known("shocks") == ["flood", "outage"]
        assert type(Scenario.model_validate({"shocks": ["flood"]}).shocks[0]).__name__ == "Flood"
    finally:
        file.unlink()


def test_defaults_are_table_and_reconstructed() -> None:
    scenario = Scenario()
    assert (scenario.name, scenario.days, scenario.seed) == ("ecosystem", 365, 1)
    assert (type(scenario.economy).__name__, type(scenario.network).__name__) == ("Table", "Reconstructed")
    assert scenario.mechanisms == scenario.shocks == scenario.policies == scenario.metrics == ()
    assert list(Scenario.model_fields) == [
        *("name", "days", "seed", "economy", "network", "mechanisms", "shocks", "policies", "metrics"),
        *("profiles", "communities"),
    ]


def test_an_instance_is_kept_as_it_is() -> None:
    ring = find("network", "ring")()
    assert Scenario(network=ring).network is ring
    assert Scenario(network=ring).with_({"days": 3}).network is ring


def test_a_bare_name_is_a_kind_with_its_defaults() -> None:
    scenario = Scenario.from_yaml("metrics: [gini]\nnetwork: ring")
    assert type(scenario.metrics[0]).__name__ == "Gini"
    assert scenario.network == find("network", "ring")()


@pytest.mark.parametrize(
    ("network", "line"),
    [
        ("rnig", "x.yaml:1:10: network.kind: unknown kind of network 'rnig'; did you mean 'ring'?"),
        (
            "{kind: zzz}",
            "x.yaml:1:17: network.kind: unknown kind of network 'zzz'; "
            "the kinds of network are drawn, reconstructed, ring, shaken, star",
        ),
        (
            "{kind: helper}",
            "x.yaml:1:17: network.kind: unknown kind of network 'helper'; "
            "the kinds of network are drawn, reconstructed, ring, shaken, star",
        ),
        (
            "{kind: ../ring}",
            "x.yaml:1:17: network.kind: unknown kind of network '../ring'; did you mean 'ring'?",
        ),
        (
            "{suppliers: 3}",
            "x.yaml:1:10: network.kind: missing; say which network it is: drawn | reconstructed | ring | shaken | star",
        ),
        ("7", "x.yaml:1:10: network: 7 is no network; give a kind and its keys, for example {kind: drawn}"),
        ("", "x.yaml:1:1: network: empty; give a kind and its keys, for example {kind: drawn}"),
        (
            "{kind: 3}",
            "x.yaml:1:17: network.kind: a kind is a name, not 3; "
            "the kinds of network are drawn, reconstructed, ring, shaken, star",
        ),
        (
            "{kind: nowhere_at_all:X}",
            "x.yaml:1:17: network.kind: no module 'nowhere_at_all'; run from the folder that holds nowhere_at_all.py, "
            "or install it, or set PYTHONPATH",
        ),
        (
            "{kind: toyecosim.own:Mien}",
            "x.yaml:1:17: network.kind: module 'toyecosim.own' has no 'Mien'; the parts in it are Half, Mine",
        ),
        (
            "{kind: toyecosim.own:function}",
            "x.yaml:1:17: network.kind: 'toyecosim.own:function' is not a part; derive the class from ecosim.part.Part",
        ),
        (
            "{kind: toyecosim.own:Half}",
            "x.yaml:1:17: network.kind: 'toyecosim.own:Half' does not say how to wire; define it in the class",
        ),
        (
            "{kind: toyecosim.broken:X}",
            "x.yaml:1:17: network.kind: module 'toyecosim.broken' fails when imported: RuntimeError: on purpose",
        ),
        (
            "{kind: toyecosim.needy:X}",
            "x.yaml:1:17: network.kind: module 'toyecosim.needy' needs 'not_there_at_all', which is not installed",
        ),
        (
            "{kind: toyecosim.shocks.outage:Outage}",
            "x.yaml:1:17: network.kind: 'toyecosim.shocks.outage:Outage' is a kind of shock, not of network",
        ),
        (
            "{kind: 'a b:C'}",
            "x.yaml:1:17: network.kind: 'a b:C' does not name a class; write it as package.module:Name",
        ),
    ],
)
def test_a_wrong_kind_is_told_with_the_mend(network: str, line: str) -> None:
    assert errors(f"network: {network}") == [line]


def test_an_instance_of_another_family_is_refused() -> None:
    with pytest.raises(ValueError, match="'Outage' is a kind of shock, not of network"):
        Scenario(network=find("shocks", "outage")())


def test_a_class_of_ones_own_works_from_yaml_and_back() -> None:
    scenario = Scenario.from_yaml("network: {kind: 'toyecosim.own:Mine', strength: 7}")
    assert scenario.network.model_dump() == {"strength": 7}
    assert "kind: toyecosim.own:Mine\n" in scenario.to_yaml()
    assert Scenario.from_yaml(scenario.to_yaml()) == scenario
    assert scenario.with_({"network.strength": 8}).network.model_dump() == {"strength": 8}


def test_code_is_not_imported_where_it_is_not_allowed(toy: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (toy / "evil.py").write_text(f"open({str(mark)!r}, 'w').close()\n", encoding="utf-8")
    file = tmp_path / "s.yaml"
    file.write_text("network: {kind: 'evil:X'}", encoding="utf-8")
    with pytest.raises(ScenarioError, match="'evil:X' names Python code, and this scenario may not run any"):
        load(file, allow_code=False)
    assert not mark.exists()
    stranger = Scenario.from_yaml("days: 3", allow_code=False)
    assert "may not run any" in refused(stranger, {"network.kind": "evil:X"})
    assert "may not run any" in refused(stranger, {"shocks": [{"kind": "evil:X"}]})
    # The toy, like a careless part, does not ask.
    for inner in ("evil:X", {"kind": "evil:X"}, {"kind": "shaken", "of": "evil:X"}):
        assert "may not run any" in refused(stranger, {"network": {"kind": "shaken", "of": inner}})
    assert not mark.exists()
    with pytest.raises(ScenarioError, match="has no 'X'"):  # the same file, trusted, does run
        load(file)
    assert mark.exists()


def test_a_module_in_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "beside_me.py").write_text(f"{HEAD}class Near(Part):\n    a: int = 1\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [item for item in sys.path if item])
    monkeypatch.chdir(tmp_path)
    assert Scenario.from_yaml("network: 'beside_me:Near'").network.model_dump() == {"a": 1}


# Errors in values


def test_every_problem_is_told_at_once_in_the_order_of_the_text() -> None:
    assert errors("""\
        days: 0
        seed: '5'
        network: {kind: ring, supplirs: 4, suppliers: 5000}
        economy: {kind: tabel}
        shocks:
          - {kind: outage, severity: two, who: {shar: 1, share: 2}}
          - {kind: outage, days: [1, x, 2.5]}
        policies:
          - kind: aid
        metrics: gini
        dayz: 1
        """) == [
        "x.yaml:1:7: days: 0 is too small; give a whole number from 1 to 100000",
        "x.yaml:2:7: seed: '5' is text; give a whole number from 0 to 9223372036854775807; write 5 without quotes",
        "x.yaml:3:23: network.supplirs: unknown key; did you mean 'suppliers'?",
        "x.yaml:3:47: network.suppliers: 5000 is too large; give a whole number from 1 to 1000",
        "x.yaml:4:17: economy.kind: unknown kind of economy 'tabel'; did you mean 'table'?",
        "x.yaml:6:30: shocks.0.severity: 'two' is text; give a number or keys with values, each a number",
        "x.yaml:6:41: shocks.0.who.shar: unknown key; did you mean 'share'?",
        "x.yaml:6:57: shocks.0.who.share: 2 is too large; give a number above 0 and at most 1",
        "x.yaml:7:30: shocks.1.days.1: 'x' is text; give a whole number",
        "x.yaml:7:33: shocks.1.days.2: 2.5 is not a whole number; give a whole number",
        "x.yaml:9:5: policies.0.amount: missing; give a number",
        "x.yaml:10:10: metrics: 'gini' is text; "
        "give a list of metrics, each a kind with its keys, for example [{kind: ...}]",
        "x.yaml:11:1: dayz: unknown key; did you mean 'days'?",
    ]


def test_problems_can_be_read_by_a_program() -> None:
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_yaml("seed: 1\ndays: 0", name="x.yaml")
    message = "0 is too small; give a whole number from 1 to 100000"
    assert caught.value.problems == [Problem("x.yaml", 2, 7, "days", message, 0)]
    assert isinstance(caught.value, ValueError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("days: true", "1:7: days: true is true-or-false; give a whole number from 1 to 100000"),
        ("days: 1e3", "1:7: days: 1000.0 is not a whole number; give a whole number from 1 to 100000; write 1000"),
        (
            "days: 1_000",
            "1:7: days: '1_000' is text; give a whole number from 1 to 100000; write 1000 without underscores",
        ),
        ("days:\nseed: 1", "1:1: days: empty; give a whole number from 1 to 100000, or leave the key out"),
        ("days: [1]", "1:7: days: [1] is a list; give a whole number from 1 to 100000"),
        ("name: 5", "1:7: name: 5 is a number; give text of 1 to 200 characters; write '5' with quotes"),
        ("name: ''", "1:7: name: '' is too short; give text of 1 to 200 characters"),
        ("economy: {kind: table, growth: .inf}", "1:32: economy.growth: inf is not finite; give a number"),
        ("economy: {kind: table, growth: .nan}", "1:32: economy.growth: nan is not finite; give a number"),
        ("economy: {kind: table, growth: true}", "1:32: economy.growth: true is true-or-false; give a number"),
        ("economy: {kind: table, firms: 13}", "1:31: economy.firms: 13 is bad luck; give 14"),
        ("economy: {kind: table, shares: {a: x}}", "1:36: economy.shares.a: 'x' is text; give a number"),
        ("network: {kind: ring, span: 0}", "1:29: network.span: 0 is too small; give a number above 0"),
        (
            "shocks: [{kind: outage, shape: stepp}]",
            "1:32: shocks.0.shape: 'stepp' is not known; did you mean 'step'? (one of step, ramp)",
        ),
        ("shocks: [{kind: outage, shape: q}]", "1:32: shocks.0.shape: 'q' is not known; give one of step, ramp"),
        ("shocks: [{kind: outage, hard: yes}]", "1:31: shocks.0.hard: 'yes' is text; give true or false; write true"),
        ("shocks: [{kind: outage, hard: 1}]", "1:31: shocks.0.hard: 1 is a number; give true or false"),
        ("shocks: [{kind: outage, severity: {a: x}}]", "1:39: shocks.0.severity.a: 'x' is text; give a number"),
        (
            "shocks: [{kind: outage, severity: [1]}]",
            "1:35: shocks.0.severity: [1] is a list; give a number or keys with values, each a number",
        ),
        (
            "shocks: {kind: outage}",
            "1:9: shocks: {'kind': 'outage'} is a set of keys; "
            "give a list of shocks, each a kind with its keys, for example [{kind: ...}]; put '- ' before it",
        ),
        (
            "mechanisms: [{kind: prices, steps: ['1', 2]}]",
            "1:37: mechanisms.0.steps.0: '1' was taken for a number or for true or false; "
            "write it as one, without quotes",
        ),
        (
            "mechanisms: [{kind: prices, steps: [x]}]",
            "1:37: mechanisms.0.steps.0: 'x' is text; give a whole number",
        ),
    ],
)
def test_a_wrong_value_is_told_with_what_is_allowed(text: str, line: str) -> None:
    assert errors(text) == [f"x.yaml:{line}"]


def test_a_class_that_looks_at_its_data_first_still_takes_lists() -> None:
    part = Scenario.from_yaml("mechanisms: [{kind: prices, steps: [1, 2], goods: [b, a]}]").mechanisms[0]
    assert part.model_dump() == {"kind": "prices", "steps": (1, 2), "goods": frozenset({"a", "b"})}


def test_python_callers_meet_the_same_rules() -> None:
    with pytest.raises(ValueError, match="valid integer"):
        Scenario(days=True)
    with pytest.raises(ValueError, match="valid integer"):
        Scenario.model_validate({"network": {"kind": "ring", "suppliers": "5"}})
    scenario = Scenario.model_validate({"days": np.int64(9), "network": {"kind": "ring", "suppliers": np.int64(4)}})
    assert type(scenario.days) is int
    assert scenario.network.model_dump()["suppliers"] == 4
    with pytest.raises(ValueError, match="frozen"):
        scenario.days = 3  # type: ignore[misc]


# YAML


@pytest.mark.parametrize(
    ("word", "value"),
    [
        *(("no", "no"), ("on", "on"), ("12:30", "12:30"), ("2026-01-02", "2026-01-02"), ("1e-3", 0.001)),
        *(("1_000", "1_000"), ("0x1F", 31), ("0o17", 15), ("017", 17), ("+5", 5), (".5", 0.5), ("1.", 1.0)),
        *(("~", None), ("", None), ("True", True), ("FALSE", False), ("-.inf", -np.inf), ("=", "="), (".", ".")),
        *(("1e", "1e"), ("0x", "0x"), ("1.2.3", "1.2.3"), ("-", "-")),
    ],
)
def test_words_are_read_by_yaml_1_2(word: str, value: object) -> None:
    assert scalar(word) == value
    assert type(scalar(word)) is type(value)


def test_words_that_yaml_1_1_bends_stay_text() -> None:
    assert Scenario.from_yaml("name: no").name == "no"
    assert Scenario.from_yaml("name: 12:30").name == "12:30"
    assert Scenario.from_yaml("economy: {kind: table, growth: 1e-3}").economy.model_dump()["growth"] == 0.001


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "x.yaml: empty; a scenario needs at least one key, for example 'days: 365'"),
        ("# nothing", "x.yaml: empty; a scenario needs at least one key, for example 'days: 365'"),
        ("- a", "x.yaml: a list; a scenario is made of keys, for example 'days: 365'"),
        ("hello", "x.yaml: a single value; a scenario is made of keys, for example 'days: 365'"),
        ("days: 1\ndays: 2", "x.yaml:2:1: days: this key stands on line 1 already; keep one of the two"),
        (
            "shocks:\n  - kind: outage\n    hard: true\n    kind: outage",
            "x.yaml:4:5: shocks.0.kind: this key stands on line 2 already; keep one of the two",
        ),
        ("name: [1, 2", "x.yaml:1:12: the list opened with '[' at line 1, column 7 is not closed here; add ',' or ']'"),
        ("days: 1\n\tseed: 2", "x.yaml:2:1: a tab; indent with spaces"),
        (
            "name: a: b",
            "x.yaml:1:8: a ': ' that does not fit: put text that contains ': ' in quotes, "
            "or line the key up with its neighbours",
        ),
        ("name: 'x", "x.yaml:1:9: the quotes opened at line 1, column 7 are never closed"),
        ("name: @x", "x.yaml:1:7: a value cannot start with @; put it in quotes"),
        ("name: *n", "x.yaml:1:7: name: *n refers to nothing; write &n before the value it repeats"),
        ("name: &a [*a]", "x.yaml:1:11: name.0: *a stands inside the value it repeats"),
        ("days: 1\n---\ndays: 2", "x.yaml:2:1: a second document starts here; a file holds one scenario"),
        ("{days: 1}}", "x.yaml:1:10: text follows the end of the scenario; is there a bracket too many?"),
        ("? [a]\n: 1", "x.yaml:1:3: a key must be a word, not a list or a mapping"),
        ("<<: {days: 3}", "x.yaml:1:1: merge keys are not part of YAML 1.2; write the keys out"),
        (
            "name: !!python/object:os.system {}",
            "x.yaml:1:7: name: the tag !!python/object:os.system is not allowed; "
            "write the value plainly, text in quotes",
        ),
        ("name: a\x01b", "x.yaml:1:8: an invisible control character (U+0001); remove it"),
        ('name: "\\ud800"', "x.yaml:1:7: name: half of a surrogate pair is no character; write the character itself"),
        (
            'name: "\\Uffffffff"',
            "x.yaml: an escape such as \\U00110000 in double quotes names no character; use single quotes",
        ),
        ("days: " + "9" * 500, "x.yaml:1:7: days: a number of 500 digits is too long; 400 is the most"),
        ("name: " + "[" * 60, "x.yaml:1:46: name" + ".0" * 39 + ": more than 40 levels deep"),
    ],
)
def test_unreadable_text_is_told_with_the_mend(text: str, line: str) -> None:
    assert errors(text) == [line]


def test_aliases_are_read_and_do_not_multiply() -> None:
    scenario = Scenario.from_yaml("shocks: [&a {kind: outage, severity: 0.5}, *a]")
    assert scenario.shocks[0] == scenario.shocks[1]
    names = "abcdefghi"
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in pairwise(names)]
    assert "more than 50,000 values" in errors("\n".join(lines))[-1]


def test_a_thousand_problems_are_told_in_fifty_lines() -> None:
    lines = errors("\n".join(f"key{at}: 1" for at in range(1000)))
    assert len(lines) == 51
    assert lines[-1] == "... and 950 more"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"days: 1\nname: caf\xe9", "s.yaml:2:10: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        ("days: 1".encode("utf-16"), "s.yaml: saved as UTF-16; save it as UTF-8"),
        (b"PK\x03\x04\x00\x00", "s.yaml: a binary file, not text; a scenario is a YAML text file"),
        (b"# " + b"x" * 1_000_000, "s.yaml: larger than 1,000,000 bytes; keep tables in CSV files"),
    ],
)
def test_files_that_are_no_text_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes(content)
    with pytest.raises(ScenarioError) as caught:
        load(file)
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(message)


def test_missing_files_and_folders_are_told(tmp_path: Path) -> None:
    (tmp_path / "bakery.yaml").write_text("\ufeffdays: 3\r\nname: \u00e9t\u00e9\r\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"bakry\.yaml: no such file; did you mean '.*bakery\.yaml'\?"):
        load(tmp_path / "bakry.yaml")
    with pytest.raises(ScenarioError, match="this is a folder; name a YAML file in it"):
        load(tmp_path)
    with pytest.raises(ScenarioError, match="cannot be read"):
        load("a\0b")
    assert load(str(tmp_path / "bakery.yaml")).name == "\u00e9t\u00e9"  # a byte order mark and CRLF are no obstacle


def test_parts_learn_the_folder_of_the_file(tmp_path: Path, toy: Path) -> None:
    source = """
        from pydantic import ValidationInfo, field_validator
        class Where(Part):
            file: str = ""
            @field_validator("file")
            @classmethod
            def _beside(cls, value: str, info: ValidationInfo) -> str:
                return f"{(info.context or {}).get('base_dir')}|{value}" if "|" not in value else value
    """
    (toy / "places.py").write_text(HEAD + textwrap.dedent(source), encoding="utf-8")
    file = tmp_path / "s.yaml"
    file.write_text("network: {kind: 'places:Where', file: a.csv}", encoding="utf-8")
    scenario = load(file)
    assert scenario.network.model_dump() == {"file": f"{tmp_path}|a.csv"}
    assert scenario.with_({"network.file": "b.csv"}).network.model_dump() == {"file": f"{tmp_path}|b.csv"}
    assert Scenario.from_yaml(scenario.to_yaml()) == scenario  # read elsewhere, it is the same scenario


# Changes


def test_a_new_kind_keeps_what_was_set_and_takes_its_own_defaults() -> None:
    ring = full()
    changed = ring.with_({"network.kind": "reconstructed"})
    assert changed.network.model_dump() == {"kind": "reconstructed", "suppliers": 4}  # set by the user: kept
    plain = Scenario.from_yaml("network: {kind: ring, span: 9}").with_({"network.kind": "reconstructed"})
    assert plain.network.model_dump() == {"kind": "reconstructed", "suppliers": 5}  # the ring's default 3 is not
    both = ring.with_({"network.suppliers": 8, "network.kind": "reconstructed"})
    assert both.network.model_dump()["suppliers"] == 8
    assert "unknown key" in refused(ring, {"network.kind": "reconstructed", "network.span": 1.0})
    assert ring == full()


def test_changes_reach_every_depth() -> None:
    changed = full().with_(
        {
            "days": 10,
            "shocks.0.days.1": 7,
            "shocks.1.who.share": 0.25,
            "shocks.0.severity": {"bakery": 1},
            "economy.shares.food": 0.75,
            "economy.shares.cars": 0.1,
        }
    )
    assert changed.days == 10
    first, second = (shock.model_dump() for shock in changed.shocks)
    assert first["days"] == (3, 7)
    assert first["severity"] == {"bakery": 1.0}
    assert second["who"] == {"sector": None, "share": 0.25}
    assert changed.economy.model_dump()["shares"] == {"food": 0.75, "cars": 0.1}
    assert changed.economy.model_dump()["firms"] == 50


def test_a_part_inside_a_part_keeps_its_kind() -> None:
    star = find("network", "star").model_validate({"arms": 9})
    shaken = Scenario(network=find("network", "shaken").model_validate({"of": star}))
    assert Scenario.from_yaml(shaken.to_yaml()) == shaken
    changed = shaken.with_({"network.of.legs": 7}).network.model_dump()
    assert changed == {"kind": "shaken", "of": {"kind": "star", "arms": 9, "legs": 7}}
    swapped = shaken.with_({"network.of.kind": "star"}).network.model_dump()
    assert swapped == {"kind": "shaken", "of": {"kind": "star", "arms": 9, "legs": 2}}
    bare = Scenario(network=find("network", "shaken").model_validate({"of": find("network", "star")()}))
    assert bare.with_({"network.of.arms": 4}).network.model_dump()["of"] == {"kind": "star", "arms": 4, "legs": 2}
    assert edits.opened(bare.network, "network") == {"kind": "shaken", "of": {"kind": "star"}}
    assert "network.of.lgs: unknown key" in refused(shaken, {"network.of.lgs": 7})
    check = jsonschema.Draft202012Validator(schema())
    assert check.is_valid({"network": {"kind": "shaken", "of": {"kind": "star", "legs": 3}}})
    assert not check.is_valid({"network": {"kind": "shaken", "of": {"kind": "star", "lgs": 3}}})


def test_whole_lists_and_single_entries_can_be_set() -> None:
    entries = [{"kind": "outage", "severity": 0.1}, find("shocks", "outage")()]
    changed = full().with_({"shocks": entries, "shocks.0.severity": np.float64(0.9), "shocks.2.kind": "outage"})
    assert [shock.model_dump()["severity"] for shock in changed.shocks] == [0.9, 1.0, 1.0]
    assert entries[0] == {"kind": "outage", "severity": 0.1}  # the caller's list is untouched
    assert full().with_({"network": "ring"}).network.model_dump()["suppliers"] == 3
    assert full().with_({"network.kind": find("network", "ring")}) == full()
    assert full().with_({"shocks": []}).shocks == ()
    assert full().with_({}) == full()


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("networks.kind", "ring", "networks.kind: unknown key 'networks'; did you mean 'network'?"),
        ("dyas", 1, "dyas: unknown key; did you mean 'days'?"),
        ("network.supplirs", 1, "network.supplirs: unknown key; did you mean 'suppliers'?"),
        ("shocks.0.wh.share", 1, "shocks.0.wh.share: unknown key 'wh'; did you mean 'who'?"),
        ("shocks.0.who.shar", 1, "shocks.0.who.shar: unknown key; did you mean 'share'?"),
        ("days.x", 1, "days.x: days is 365, which has nothing inside; set days itself"),
        (
            "shocks.7.severity",
            1,
            "shocks.7.severity: shocks has no entry 7: its entries are 0 to 1; add one by setting shocks.2.kind first",
        ),
        (
            "shocks.x.severity",
            1,
            "shocks.x.severity: shocks is a list; give the number of an entry, for example shocks.0, or "
            "call it by name or kind: the names here are outage",
        ),
        (
            "policies.0.amount",
            1,
            "policies.0.amount: policies has no entry 0: it is empty; add one by setting policies.0.kind first",
        ),
        ("network.kind", "rng", "network.kind: unknown kind of network 'rng'; did you mean 'ring'?"),
        ("network.suppliers", True, "network.suppliers: true is true-or-false; give a whole number from 1 to 1000"),
        ("days", "5", "days: '5' is text; give a whole number from 1 to 100000; write 5 without quotes"),
        ("seed", -1, "seed: -1 is too small; give a whole number from 0 to 9223372036854775807"),
        ("name", None, "name: empty; give text of 1 to 200 characters, or leave the key out"),
    ],
)
def test_a_wrong_change_names_its_path(path: str, value: object, line: str) -> None:
    assert refused(full(), {path: value}) == line


def test_wrong_changes_are_told_together() -> None:
    assert refused(full(), {"dyas": 1, "shcks.0.severity": 1}).count("\n") == 1
    assert refused(full(), {"days": 0, "network.suppliers": 0}).count("\n") == 1


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("network.kind=ring", ("network.kind", "ring")),
        ("days=10", ("days", 10)),
        ("shocks.0.severity=1e-3", ("shocks.0.severity", 0.001)),
        ("name=no", ("name", "no")),
        ("name=''", ("name", "")),
        ("name=a=b: c", ("name", "a=b: c")),
        ("x=true", ("x", True)),
        ("x = [1, {a: 2}]", ("x", [1, {"a": 2}])),
    ],
)
def test_a_setting_is_read_as_yaml_reads_it(text: str, parsed: tuple[str, object]) -> None:
    assert parse_set(text) == parsed
    assert type(parse_set(text)[1]) is type(parsed[1])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("days", "'days' sets nothing; write path=value, for example network.kind=ring"),
        ("=3", "'=3' sets nothing; write path=value, for example network.kind=ring"),
        ("days=", "days: no value after '='; for empty text write days=''"),
        ("a..b=3", "'a..b' is not a path; write keys joined by dots, for example shocks.0.kind"),
        ("x=[1", "x: '[1': the list opened with '[' at line 1, column 1 is not closed here; add ',' or ']'"),
        ("x=" + "1" * 500, "x: a number of 500 digits is too long; 400 is the most"),
        ("x=!!int 3", "x: '!!int 3': the tag !!int is not allowed; write the value plainly, text in quotes"),
    ],
)
def test_a_wrong_setting_is_told(text: str, line: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_set(text)
    assert str(caught.value) == line


# Writing


def test_the_text_is_complete_and_readable() -> None:
    text = full().to_yaml()
    assert text == textwrap.dedent("""\
        name: a town
        days: 365
        seed: 1
        economy:
          kind: table
          firms: 50
          growth: 0.0
          shares:
            food: 0.5
          note: null
        network:
          kind: ring
          suppliers: 4
          span: 2.5
        mechanisms: []
        shocks:
          - kind: outage
            severity: 0.5
            days: [3, 4]
            shape: step
            who:
              sector: null
              share: 1.0
            hard: false
          - kind: outage
            severity: 1.0
            days: [1, 2]
            shape: step
            who:
              sector: null
              share: 1.0
            hard: false
        policies: []
        metrics:
          - kind: gini
        profiles: false
        communities: {}
        """)
    assert Scenario.from_yaml(text) == full()


words = st.one_of(
    st.text(min_size=1, max_size=30),
    st.sampled_from(
        ["no", "1e3", "0x1", "~", "null", "a: b", "a #b", "- x", "'", '"', "\\", " a ", "\n", "\u2028", "\x85", "\x7f"]
    ),
    st.sampled_from(["\ufeff", "\U0001f600", "#", "[", "{a}", "%x", "@", "!x", "&x", "*x", "|", ">", "?", "1_0", ".5"]),
)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=120, deadline=None)
@given(
    name=words,
    seed=st.integers(0, 2**63 - 1),
    growth=numbers,
    shares=st.dictionaries(words, numbers, max_size=3),
    note=st.none() | words,
    severity=st.dictionaries(words, numbers, min_size=1, max_size=3) | numbers,
    days=st.lists(st.integers(-(2**70), 2**70), max_size=40),
    sector=st.none() | words | st.lists(words, max_size=3),
)
def test_any_scenario_reads_back_equal(
    name: str, seed: int, growth: float, shares: object, note: object, severity: object, days: object, sector: object
) -> None:
    scenario = Scenario.model_validate(
        {
            "name": name,
            "seed": seed,
            "economy": {"kind": "table", "growth": growth, "shares": shares, "note": note},
            "shocks": [{"kind": "outage", "severity": severity, "days": days, "who": {"sector": sector}}],
        }
    )
    again = Scenario.from_yaml(scenario.to_yaml())
    assert again == scenario
    assert again.digest() == scenario.digest()
    assert again.to_yaml() == scenario.to_yaml()


def test_what_lives_in_memory_cannot_be_written_but_can_be_used() -> None:
    scenario = Scenario.model_validate({"network": {"kind": "drawn", "graph": object()}})
    for write in (scenario.to_yaml, scenario.digest):
        with pytest.raises(ScenarioError, match=r"^network\.graph: a object lives in memory only; to write it down"):
            write()
    changed = scenario.with_({"network.times": 3})
    assert changed.network.model_dump()["graph"] is scenario.network.model_dump()["graph"]
    assert "'3' was taken for a number" in refused(scenario, {"network.times": "3"})


def test_a_class_made_inside_a_function_cannot_be_written() -> None:
    class Local(Part):
        a: int = 1

    scenario = Scenario(network=Local())
    with pytest.raises(ScenarioError, match=r"network\.kind: class '.*Local' is made inside a function"):
        scenario.to_yaml()
    assert scenario.with_({"network.a": 2}).network == Local(a=2)


def test_scenarios_pickle_and_hash() -> None:
    scenario = Scenario(network=find("network", "ring")())
    assert pickle.loads(pickle.dumps(scenario)) == scenario
    assert len({scenario.with_({"days": 1}), scenario.with_({"days": 1}), scenario}) == 2
    zeros = [Scenario.model_validate({"economy": {"kind": "table", "growth": zero}}) for zero in (0.0, -0.0)]
    assert zeros[0] == zeros[1]
    assert hash(zeros[0]) == hash(zeros[1])


def test_the_digest_depends_on_values_alone() -> None:
    terse = Scenario.from_yaml("network: ring")
    assert terse.digest() == Scenario.from_yaml(terse.to_yaml()).digest()
    assert terse.digest() == Scenario.from_yaml("network: {span: 1, kind: ring}").digest()
    others = [{"days": 3}, {"seed": 2}, {"network.span": 1.0000001}, {"shocks": ["outage"]}, {"network.kind": "drawn"}]
    assert len({terse.digest(), *(terse.with_(change).digest() for change in others)}) == 6


def test_the_digest_is_the_same_in_every_process(toy: Path) -> None:
    code = f"""if True:
        import sys
        sys.path.insert(0, {str(toy)!r})
        from ecosim.config import FAMILIES, Scenario
        from ecosim.config.kinds import Family
        for name, family in list(FAMILIES.items()):
            FAMILIES[name] = Family(family.package.replace("ecosim", "toyecosim", 1), family.noun, many=family.many)
        print(Scenario.from_yaml("mechanisms: [{{kind: prices, goods: [a, b, c, d, e]}}]").digest())
    """
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": hashseed}, check=True, capture_output=True, text=True
        ).stdout.strip()
        for hashseed in ("1", "2")
    }
    assert seen == {Scenario.from_yaml("mechanisms: [{kind: prices, goods: [a, b, c, d, e]}]").digest()}


# Schema


def test_the_schema_accepts_what_loads_and_refuses_what_does_not() -> None:
    validator = jsonschema.Draft202012Validator
    made = schema()
    validator.check_schema(made)
    check = validator(made)
    assert list(made["properties"]) == list(Scenario.model_fields)
    assert made["$defs"]["Ring"]["description"] == "A circle."
    assert made["$defs"]["Ring"]["properties"]["kind"] == {"const": "ring"}
    assert made["$defs"]["Table"]["properties"]["firms"]["description"] == "Number of firms."
    good: list[dict[str, Any]] = [
        {},
        {"network": "ring", "metrics": ["gini", {"kind": "gini"}]},
        {"network": {"kind": "toyecosim.own:Mine", "strength": 3}},
        {"shocks": [{"kind": "outage", "severity": {"a": 1}, "who": {"share": 0.5}}]},
    ]
    bad: list[dict[str, Any]] = [
        {"dayz": 1},
        {"days": 0},
        {"days": "5"},
        {"network": "rng"},
        {"network": {"suppliers": 3}},
        {"network": {"kind": "ring", "supplirs": 3}},
        {"shocks": {"kind": "outage"}},
        {"policies": ["gini"]},
    ]
    for values in good:
        check.validate(values)
        Scenario.model_validate(values)
    for values in bad:
        assert not check.is_valid(values), values
        with pytest.raises(ValueError):  # noqa: PT011 - any refusal will do: the texts are tested above
            Scenario.model_validate(values)


def test_what_ships_has_a_schema_that_accepts_a_written_scenario(monkeypatch: pytest.MonkeyPatch) -> None:
    from ecosim.config.written import mapping

    for field, family in REAL.items():
        monkeypatch.setitem(FAMILIES, field, family)
    made = jsonschema.Draft202012Validator(schema())
    for kind in known("network"):
        scenario = Scenario.model_validate({"economy": "uniform", "network": kind, "shocks": ["outage"]})
        made.validate(mapping(scenario))
        assert Scenario.from_yaml(scenario.to_yaml()) == scenario


def test_importing_scenarios_is_light() -> None:
    code = """if True:
        import sys, time
        from pydantic import BaseModel
        class Any(BaseModel): pass
        before = time.process_time()
        import ecosim.config
        spent = time.process_time() - before
        heavy = {"pandas", "mesa", "numba", "networkx", "matplotlib", "scipy", "numpy", "ruamel.yaml"}
        print(spent, *heavy & set(sys.modules))
    """
    spent, *heavy = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    assert not heavy
    assert float(spent) < 0.3  # beyond pydantic, which no scenario can do without
