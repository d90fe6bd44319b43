"""Networks that users bring: every way in gives the same economy, and every mistake is named with its place."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from ecosim.blueprint import Blueprint
from ecosim.build import build
from ecosim.calibration.imports import csv_table
from ecosim.config import Scenario, load, placed
from ecosim.errors import InputError
from ecosim.model import Ecosystem
from ecosim.networks.imported import Imported
from ecosim.rng import Streams

FIRMS = [
    {"firm": "Mill", "sector": "Food", "final_demand": 10.0, "region": "North", "customer": "Town", "type": "Supplier"},
    {"firm": "Bakery", "sector": "Food", "final_demand": 120.0, "region": "South", "customer": "Town", "type": "SMB"},
    {"firm": "Smith", "sector": "Tools", "final_demand": 30.5, "region": "North", "customer": "Farms", "type": "SMB"},
    {"firm": "Cafe", "sector": "Inns", "final_demand": 75.25, "region": "South", "customer": "Town", "type": "SMB"},
]
LINKS = [
    {"supplier": "Mill", "client": "Bakery", "flow": 40.0, "importance": "essential"},
    {"supplier": "Smith", "client": "Mill", "flow": 5.5, "importance": "other"},
    {"supplier": "Bakery", "client": "Cafe", "flow": 20.125, "importance": "essential"},
    {"supplier": "Smith", "client": "Bakery", "flow": 1.0, "importance": "important"},
]


def csv_files(folder: Path, firms: Any = FIRMS, links: Any = LINKS) -> Imported:
    for name, rows in (("firms", firms), ("links", links)):
        pd.DataFrame(rows).to_csv(folder / f"{name}.csv", index=False)
    return Imported(firms=str(folder / "firms.csv"), links=str(folder / "links.csv"))


def some_graph() -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    for row in FIRMS:
        graph.add_node(row["firm"], **{key: value for key, value in row.items() if key != "firm"})
    for row in LINKS:
        graph.add_edge(row["supplier"], row["client"], flow=row["flow"], importance=row["importance"])
    return graph


def same_plan(one: Blueprint, two: Blueprint) -> None:
    for name in ("ptr", "supplier", "product", "flow", "importance", "customer"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
    for name in ("sector", "region", "x", "y", "size", "final_demand", "role"):
        np.testing.assert_array_equal(getattr(one.firms, name), getattr(two.firms, name), err_msg=name)
    assert one.customer_names == two.customer_names
    for name in ("name", "sector_names", "region_names"):
        assert getattr(one.firms, name) == getattr(two.firms, name)


def test_every_way_in_gives_the_same_economy(tmp_path: Path) -> None:
    plan = Imported(firms=tuple(FIRMS), links=tuple(LINKS)).blueprint()
    assert plan.firms.name == ("Mill", "Bakery", "Smith", "Cafe")
    assert plan.firms.sector_names == ("Food", "Inns", "Tools")
    assert plan.customer_names == ("Farms", "Town")
    assert plan.firms.role.tolist() == [1, 0, 0, 0]
    trade = zip(plan.supplier, plan.buyer, plan.flow, plan.importance, strict=True)
    assert sorted((int(a), int(b), float(f), int(i)) for a, b, f, i in trade) == [
        (0, 1, 40.0, 2), (1, 3, 20.125, 2), (2, 0, 5.5, 0), (2, 1, 1.0, 1),
    ]  # fmt: skip
    same_plan(plan, csv_files(tmp_path).blueprint())
    same_plan(plan, Imported.model_validate({"graph": some_graph()}).blueprint())
    frames = {"firms": pd.DataFrame(FIRMS), "links": pd.DataFrame(LINKS)}
    same_plan(plan, Imported.model_validate(frames).blueprint())
    nx.write_graphml(some_graph(), tmp_path / "net.graphml")
    same_plan(plan, Imported(graphml=str(tmp_path / "net.graphml")).blueprint())
    written = (tmp_path / "firms.csv").read_text(encoding="utf-8")
    (tmp_path / "firms.csv").write_text(written, encoding="utf-8-sig")  # as spreadsheets write it
    same_plan(plan, Imported(firms=str(tmp_path / "firms.csv"), links=str(tmp_path / "links.csv")).blueprint())


def test_optional_columns_may_be_missing_or_empty(tmp_path: Path) -> None:
    firms = [{key: row[key] for key in ("firm", "sector", "final_demand")} for row in FIRMS]
    links = [{key: row[key] for key in ("supplier", "client", "flow")} for row in LINKS]
    plan = csv_files(tmp_path, firms, links).blueprint()
    assert plan.firms.region_names == ("Here",)
    assert plan.customer_names == ("People of Here",)
    assert (plan.importance == 2).all()
    assert plan.firms.role.tolist() == [1, 0, 0, 0]  # of its 50 a day, the mill sells 10 to customers
    blank = [{**row, "type": ""} for row in firms]
    same_plan(plan, csv_files(tmp_path, blank, links).blueprint())


def test_an_imported_economy_runs_as_given_and_rewired() -> None:
    network = {"kind": "imported", "firms": FIRMS, "links": LINKS}
    eco = Ecosystem(Scenario(days=100, economy={"kind": "given"}, network=network))
    eco.run_for(100)
    np.testing.assert_array_equal(eco.world.firms.production, [50.0, 140.125, 37.0, 75.25])
    rewired = Ecosystem(Scenario(days=5, economy={"kind": "given"}, network={"kind": "rewired", "of": network}))
    rewired.run_for(5)
    np.testing.assert_allclose(rewired.world.firms.production, rewired.world.firms.output, rtol=1e-13)
    assert rewired.world.plan.firms.name == eco.world.plan.firms.name


def with_row(rows: list[dict[str, Any]], at: int, **changes: Any) -> list[dict[str, Any]]:
    return [{**row, **changes} if place == at else row for place, row in enumerate(rows)]


BAD_FIRMS = {
    "duplicate": (with_row(FIRMS, 2, firm="Mill"), 2, "firm 'Mill' stands twice; keep one row"),
    "nameless": (with_row(FIRMS, 1, firm=" "), 1, "firm has no name; give one"),
    "nan": (with_row(FIRMS, 1, final_demand=float("nan")), 1, "final_demand is "),
    "words": (with_row(FIRMS, 0, final_demand="lots"), 0, "final_demand is 'lots'; give a finite number"),
    "infinite": (with_row(FIRMS, 0, final_demand="inf"), 0, "final_demand is 'inf'; give a finite number"),
    "negative": (with_row(FIRMS, 3, final_demand=-1.5), 3, "final_demand is -1.5; give a number of at least 0"),
    "type": (with_row(FIRMS, 3, type="Bank"), 3, "type is 'Bank'; choose one of SMB, Supplier"),
    "unaffordable": (
        with_row(FIRMS, 0, final_demand=0.0)[:1] + with_row(FIRMS, 1, final_demand=12.0)[1:],
        1,
        "firm 'Bakery' cannot be balanced: it buys 41 a day and sells 32.125; inputs must stay below output: "
        "raise its final demand or lower its purchases",
    ),
}
BAD_LINKS = {
    "nan": (with_row(LINKS, 1, flow=float("nan")), 1, "flow is "),
    "words": (with_row(LINKS, 1, flow="much"), 1, "flow is 'much'; give a finite number"),
    "negative": (with_row(LINKS, 2, flow=-3.0), 2, "flow is -3; give a number above 0; leave out a link that"),
    "zero": (
        with_row(LINKS, 0, flow=0.0),
        0,
        "flow is 0; give a number above 0; leave out a link that carries nothing",
    ),
    "self": (with_row(LINKS, 1, client="Smith"), 1, "firm 'Smith' supplies itself; remove the link"),
    "twice": ([*LINKS, LINKS[0]], 4, "a second link 'Mill' -> 'Bakery'; add the flows up"),
    "importance": (with_row(LINKS, 3, importance="vital"), 3, "importance is 'vital'; choose one of essential, imp"),
    "supplier": (with_row(LINKS, 3, supplier="Smyth"), 3, "supplier 'Smyth' is not among the firms of "),
    "client": (with_row(LINKS, 0, client="Bank"), 0, "client 'Bank' is not among the firms of "),
}


def refusal(network: Imported) -> str:
    with pytest.raises(InputError) as refused:
        network.blueprint()
    return str(refused.value)


@pytest.mark.parametrize("case", BAD_FIRMS)
def test_a_bad_firm_is_named_with_its_row(case: str, tmp_path: Path) -> None:
    rows, at, text = BAD_FIRMS[case]
    said = refusal(Imported(firms=tuple(rows), links=tuple(LINKS))).splitlines()
    assert said[0].startswith(f"network.firms, row {at + 1}: {text}")
    said = refusal(csv_files(tmp_path, rows, LINKS)).splitlines()
    assert said[0].startswith(f"{tmp_path / 'firms.csv'}:{at + 2}: {text}")


@pytest.mark.parametrize("case", BAD_LINKS)
def test_a_bad_link_is_named_with_its_row(case: str, tmp_path: Path) -> None:
    rows, at, text = BAD_LINKS[case]
    said = refusal(Imported(firms=tuple(FIRMS), links=tuple(rows))).splitlines()
    assert said[0].startswith(f"network.links, row {at + 1}: {text}")
    said = refusal(csv_files(tmp_path, FIRMS, rows)).splitlines()
    assert said[0].startswith(f"{tmp_path / 'links.csv'}:{at + 2}: {text}")


def test_not_a_number_is_mended_by_a_finite_one() -> None:
    for firms, links in ((BAD_FIRMS["nan"][0], LINKS), (FIRMS, BAD_LINKS["nan"][0])):
        assert refusal(Imported(firms=tuple(firms), links=tuple(links))).endswith("; give a finite number")


def test_every_mistake_is_listed_at_once() -> None:
    firms = with_row(with_row(FIRMS, 0, final_demand=-1), 3, type="Bank")
    links = with_row(with_row(LINKS, 1, flow=0), 2, client="Nobody")
    said = refusal(Imported(firms=tuple(firms), links=tuple(links))).splitlines()
    assert len(said) == 4
    many = [{**LINKS[0], "client": f"Nobody {at}"} for at in range(30)]
    said = refusal(Imported(firms=tuple(FIRMS), links=tuple(many))).splitlines()
    assert (len(said), said[-1]) == (21, "... and 10 more")


def test_bad_columns_and_empty_tables_are_named(tmp_path: Path) -> None:
    lost = [{key: value for key, value in row.items() if key != "sector"} for row in FIRMS]
    strange = [{**row, "colour": "red"} for row in FIRMS]
    said = refusal(csv_files(tmp_path, lost))
    assert said.startswith(
        f"{tmp_path / 'firms.csv'}:1: no column 'sector'; the columns are firm, final_demand, region"
    )
    assert said.endswith("needed are firm, sector, final_demand")
    said = refusal(csv_files(tmp_path, strange))
    assert said.startswith(f"{tmp_path / 'firms.csv'}:1: unknown column 'colour'; known are firm, sector, final_demand")
    assert said.endswith("rename or remove it")
    said = refusal(Imported(firms=tuple(FIRMS), links=tuple({"from": "Mill", "to": "Cafe"} for _ in range(2))))
    assert said == "network.links: no column 'supplier'; the columns are from, to; needed are supplier, client, flow"
    csv_files(tmp_path)
    header = (tmp_path / "firms.csv").read_text().splitlines()[0]
    (tmp_path / "firms.csv").write_text(header + "\n")
    network = Imported(firms=str(tmp_path / "firms.csv"), links=str(tmp_path / "links.csv"))
    assert refusal(network) == f"{tmp_path / 'firms.csv'}: no firms; give at least one"
    csv_files(tmp_path)
    (tmp_path / "links.csv").write_text("supplier,client,flow\n")
    assert refusal(network) == f"{tmp_path / 'links.csv'}: no links; a network needs at least one"


def test_empty_rows_are_refused() -> None:
    for firms, links, text in (
        ((), tuple(LINKS), "network.firms: no firms; give at least one"),
        (tuple(FIRMS), (), "network.links: no links; a network needs at least one"),
    ):
        assert refusal(Imported(firms=firms, links=links)) == text


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    network = csv_files(tmp_path)
    (tmp_path / "links.csv").unlink()
    said = refusal(network)
    assert said == f"{tmp_path / 'links.csv'}: cannot be read (No such file or directory); check network.links"
    for text in (b"", b"\n \n", b'supplier,client,flow\n"Mill,Bakery,1\n'):
        (tmp_path / "links.csv").write_bytes(text)
        said = refusal(network)
        assert said.startswith(f"{tmp_path / 'links.csv'}: not a CSV table (")
        assert said.endswith("); give a header line and one row each")
    missing = tmp_path / "no.graphml"
    said = refusal(Imported(graphml=str(missing)))
    assert said == f"{missing}: cannot be read (No such file or directory); check network.graphml"


def test_what_is_not_graphml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.graphml"
    for text in ("firm,sector\n", "<html></html>", "", "<graphml"):
        path.write_text(text)
        said = refusal(Imported(graphml=str(path)))
        assert said.startswith(f"{path}: not GraphML (")
        assert said.endswith("); write it with networkx.write_graphml")
    nx.write_graphml(nx.Graph(some_graph()), path)
    assert refusal(Imported(graphml=str(path))).startswith(
        f"{path}: graph is not directed; edges must run from supplier"
    )
    graph = some_graph()
    del graph.nodes["Cafe"]["final_demand"]
    graph.edges["Smith", "Mill"]["flow"] = -2.0
    nx.write_graphml(graph, path)
    said = refusal(Imported(graphml=str(path)))
    assert f"{path} (nodes), row 4: final_demand is ''; give a finite number" in said
    assert f"{path} (edges), row " in said
    assert "flow is -2; give a number above 0" in said


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(ValueError, match="graph stands beside firms or links; give one or the other"):
        Imported.model_validate({"graph": some_graph(), "firms": FIRMS})
    with pytest.raises(ValueError, match="graphml stands beside firms or links; give one or the other"):
        Imported(graphml="a.graphml", links="links.csv")
    with pytest.raises(ValueError, match="links is missing; firms and links come together"):
        Imported(firms="firms.csv")
    with pytest.raises(ValueError, match=r"graph has parallel edges; use networkx\.DiGraph and add the flows up"):
        Imported.model_validate({"graph": nx.MultiDiGraph(some_graph())})
    assert refusal(Imported()).startswith("network.kind: imported says nothing to import; give firms and links")
    brought = Scenario(economy={"kind": "uniform"}, network={"kind": "imported", "firms": FIRMS, "links": LINKS})
    with pytest.raises(InputError, match=r"economy.kind: uniform makes firms of its own.*set economy.kind: given"):
        Ecosystem(brought)
    nobody = Scenario(economy={"kind": "given"}, network={"kind": "ring"})
    with pytest.raises(InputError, match=r"economy.kind: given has no firms of its own; use it with network.kind: imp"):
        Ecosystem(nobody)


def test_importance_by_sector_reaches_the_links_and_unknown_sectors_are_refused() -> None:
    network = {"kind": "imported", "firms": FIRMS, "links": LINKS}
    scenario = Scenario(economy={"kind": "given", "importance": {"Tools": "important"}}, network=network)
    plan = build(scenario.economy, scenario.network, Streams(0))
    assert dict(zip(plan.supplier.tolist(), plan.importance.tolist(), strict=True)) == {0: 2, 1: 2, 2: 1}
    scenario = scenario.with_({"economy.importance": {"Tool": "other"}})
    with pytest.raises(InputError, match=r"economy.importance: no sector is named 'Tool'; there are Food, Inns, Tools"):
        build(scenario.economy, scenario.network, Streams(0))


# --- files ------------------------------------------------------------------------------------------------------------

LINKS_TEXT = "supplier,client,flow\nMill,Bakery,40\n"


def written(folder: Path, firms: str | bytes, links: str | bytes = LINKS_TEXT) -> Imported:
    for name, text in (("firms", firms), ("links", links)):
        (folder / f"{name}.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    return Imported(firms=str(folder / "firms.csv"), links=str(folder / "links.csv"))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["unix", "dos", "mac"])
def test_lines_are_those_of_the_file(newline: str, tmp_path: Path) -> None:
    """Blank lines, and line breaks in quotes, count; a row that spans lines is at its first."""
    lines = ["", "firm,sector,final_demand", "", "   ", '"Mill', 'Old",Food,-1', "", "Bakery,Food,-2", "", '"', '",,3']
    said = refusal(written(tmp_path, newline.join(lines))).splitlines()
    places = [line.removeprefix(f"{tmp_path / 'firms.csv'}:").partition(":")[0] for line in said]
    assert sorted(places[:4]) == ["10", "10", "5", "8"]  # the last is nameless and without sector
    assert said[0] == f"{tmp_path / 'firms.csv'}:10: firm has no name; give one"


def test_the_last_of_many_rows_has_its_line() -> None:
    text = "supplier,client,flow\n" + "".join(f"f{at},g{at},{at}.5\n" for at in range(200_000))
    frame, source = csv_table(text.encode(), "big.csv")
    assert len(frame) == 200_000
    assert source.at(199_999) == "big.csv:200001"


def test_rows_with_another_number_of_cells_are_refused(tmp_path: Path) -> None:
    text = "firm,sector,final_demand\n\nMill,Food,10,7\nBakery,Food\nCafe,Inns,5\n"
    path = tmp_path / "firms.csv"
    assert refusal(written(tmp_path, text)).splitlines() == [
        f"{path}:3: the row has 4 cells and the header 3; remove or quote cells until they agree",
        f"{path}:4: the row has 2 cells and the header 3; fill in or leave empty cells until they agree",
    ]
    every = "firm,sector,final_demand\n" + "Mill,Food,10,\n" * 30
    said = refusal(written(tmp_path, every)).splitlines()
    assert said[0].startswith(f"{path}:2: the row has 4 cells and the header 3")
    assert (len(said), said[-1]) == (21, "... and 10 more")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("firm,sector,sector,final_demand\nMill,Food,Food,1\n", ":1: column 'sector' stands twice; remove one"),
        ("firm;sector;final_demand\nMill;Food;1,5\n", ":1: the header has semicolons; separate columns with commas"),
        ("firm\tsector\tfinal_demand\nMill\tFood\t1\n", ":1: the header has tabs; separate columns with commas"),
        ("firm,sector\nMill,Food\n".encode("utf-16"), ": saved as UTF-16; save it as UTF-8"),
        ("firm,sector\nMill,Food\n".encode("utf-16-le"), ": not text, or saved as UTF-16; save it as UTF-8"),
        ("firm,sector\n\nCafé,Inns\n".encode("latin-1"), ":3: byte 0xe9 is not UTF-8; save it as UTF-8"),
    ],
)
def test_files_of_another_make_are_refused_with_the_mend(text: str | bytes, said: str, tmp_path: Path) -> None:
    assert refusal(written(tmp_path, text)) == f"{tmp_path / 'firms.csv'}{said}"


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    written(tmp_path, LINKS_TEXT)
    os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
    for path in ("/dev/zero", str(tmp_path), str(tmp_path / "pipe")):
        network = Imported(firms=path, links=str(tmp_path / "links.csv"))
        assert refusal(network) == f"{path}: not a regular file; check network.firms"
        assert refusal(Imported(graphml=path)) == f"{path}: not a regular file; check network.graphml"


# --- cells ------------------------------------------------------------------------------------------------------------


def everywhere(folder: Path, firms: Any, links: Any) -> list[str]:
    """What is said of the same rows inline, in CSV files and in GraphML, without the places."""
    inline = refusal(Imported(firms=tuple(firms), links=tuple(links)))
    files = refusal(csv_files(folder, firms, links))
    graph = some_graph()
    for row in firms:
        graph.nodes[row["firm"]].clear()
        graph.nodes[row["firm"]].update({key: value for key, value in row.items() if key != "firm"})
    for row in links:
        graph.edges[row["supplier"], row["client"]].update(flow=row["flow"])
    nx.write_graphml(graph, folder / "net.graphml")
    drawn = refusal(Imported(graphml=str(folder / "net.graphml")))
    assert inline.startswith(("network.firms, row 2: ", "network.links, row 2: "))
    assert files.startswith((f"{folder / 'firms.csv'}:3: ", f"{folder / 'links.csv'}:3: "))
    assert drawn.startswith((f"{folder / 'net.graphml'} (nodes), row 2: ", f"{folder / 'net.graphml'} (edges), row "))
    return [said.partition(": ")[2] for said in (inline, files, drawn)]


@pytest.mark.parametrize("column", ["sector", "region", "customer"])
@pytest.mark.parametrize("empty", ["", "  ", None])
def test_empty_words_are_refused(column: str, empty: str | None, tmp_path: Path) -> None:
    """A missing cell (None) is like an empty one."""
    if empty is None:
        firms = [{k: v for k, v in row.items() if at != 1 or k != column} for at, row in enumerate(FIRMS)]
    else:
        firms = with_row(FIRMS, 1, **{column: empty})
    mend = "name the firm's sector" if column == "sector" else "fill it in, or leave the column out"
    assert everywhere(tmp_path, firms, LINKS) == [f"{column} is empty; {mend}"] * 3


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (1.1e15, "is 1.1e+15 currency units a day; give at most 1e+15"),
        (1e308, "is 1e+308 currency units a day; give at most 1e+15"),
        (9e-13, "is 9e-13 currency units a day; give at least 1e-12, or "),
        (5e-324, "currency units a day; give at least 1e-12, or "),
    ],
)
def test_amounts_have_bounds(amount: float, said: str, tmp_path: Path) -> None:
    for words in everywhere(tmp_path, with_row(FIRMS, 1, final_demand=amount), LINKS):
        assert words.startswith("final_demand is ")
        assert said in words
    for words in everywhere(tmp_path, FIRMS, with_row(LINKS, 1, flow=amount)):
        assert words.startswith("flow is ")
        assert said in words


def test_amounts_at_the_bounds_are_taken_and_their_sums_are_finite() -> None:
    firms = [{"firm": f"f{at}", "sector": "s", "final_demand": 1e15 if at else 0} for at in range(50)]
    links = [{"supplier": f"f{at}", "client": f"f{at + 1}", "flow": 1e15 if at else 1e-12} for at in range(48)]
    links[-1]["flow"] = 1e3
    network = {"kind": "imported", "firms": firms, "links": links}
    eco = Ecosystem(Scenario(days=3, economy={"kind": "given"}, network=network))
    eco.run_for(3)
    assert np.isfinite(eco.series.to_numpy(dtype=float)).all()
    assert eco.world.plan.firms.final_demand[0] == 0
    assert (eco.world.plan.flow.min(), eco.world.plan.flow.max()) == (1e-12, 1e15)


def test_an_integer_beyond_the_floats_is_named() -> None:
    firms = with_row(FIRMS, 1, final_demand=10**400)
    said = refusal(Imported(firms=tuple(firms), links=tuple(LINKS)))
    assert said.startswith("network.firms, row 2: final_demand is 1000")
    assert said.endswith("...; give a finite number")
    assert len(said) < 200


def test_coordinates_may_be_negative_but_are_finite(tmp_path: Path) -> None:
    firms = [{**row, "x": -12.5 * at, "y": -1} for at, row in enumerate(FIRMS)]
    for network in (Imported(firms=tuple(firms), links=tuple(LINKS)), csv_files(tmp_path, firms, LINKS)):
        plan = network.blueprint()
        np.testing.assert_array_equal(plan.firms.x, [0, -12.5, -25, -37.5])
        np.testing.assert_array_equal(plan.firms.y, [-1, -1, -1, -1])
    for axis in ("x", "y"):
        for wrong in ("inf", "-inf", "nan", "east", ""):
            rows = with_row(firms, 1, **{axis: wrong})
            said = refusal(Imported(firms=tuple(rows), links=tuple(LINKS)))
            assert said == f"network.firms, row 2: {axis} is {wrong!r}; give a finite number"


def test_numbers_as_names_stay_as_they_are() -> None:
    firms = ({"firm": 1, "sector": 7, "final_demand": 50}, {"firm": 2.0, "sector": 7.5, "final_demand": 50})
    plan = Imported(firms=firms, links=({"supplier": 1, "client": 2.0, "flow": 3},)).blueprint()
    assert plan.firms.name == ("1", "2.0")
    assert plan.firms.sector_names == ("7", "7.5")
    frames = {"firms": pd.DataFrame({"firm": [1, 2], "sector": ["a", "b"], "final_demand": [5.5, 6]}),
              "links": pd.DataFrame({"supplier": [1], "client": [2], "flow": [0.5]})}  # fmt: skip
    assert Imported.model_validate(frames).blueprint().firms.name == ("1", "2")


def test_a_data_frame_with_a_column_twice_is_refused() -> None:
    firms = pd.DataFrame([["Mill", "Food", "Food", 1.0]], columns=["firm", "sector", "sector", "final_demand"])
    with pytest.raises(ValueError, match="column 'sector' of firms stands twice; remove one"):
        Imported.model_validate({"firms": firms, "links": pd.DataFrame(LINKS)})


# --- graphs -----------------------------------------------------------------------------------------------------------


def test_attributes_do_not_override_nodes_and_edges(tmp_path: Path) -> None:
    graph = some_graph()
    for node in graph:
        graph.nodes[node]["firm"] = "Impostor"
    for _, _, data in graph.edges(data=True):
        data.update(supplier="Cafe", client="Mill")
    plan = Imported.model_validate({"graph": some_graph()}).blueprint()
    same_plan(plan, Imported.model_validate({"graph": graph}).blueprint())
    nx.write_graphml(graph, tmp_path / "net.graphml")
    same_plan(plan, Imported(graphml=str(tmp_path / "net.graphml")).blueprint())


def test_graphs_without_columns_are_refused_with_the_mend(tmp_path: Path) -> None:
    mend = "; set node attributes sector and final_demand, edge attribute flow"
    bare, no_demand, no_flow = nx.DiGraph([("Mill", "Bakery")]), some_graph(), some_graph()
    for node in no_demand:
        del no_demand.nodes[node]["final_demand"]
    for _, _, data in no_flow.edges(data=True):
        del data["flow"]
    for graph, column in ((bare, "sector"), (no_demand, "final_demand"), (no_flow, "flow")):
        with pytest.raises(ValueError, match=f"graph has no column '{column}'{mend}"):
            Imported.model_validate({"graph": graph})
        nx.write_graphml(graph, tmp_path / "net.graphml")
        said = refusal(Imported(graphml=str(tmp_path / "net.graphml")))
        assert said == f"{tmp_path / 'net.graphml'}: graph has no column '{column}'{mend}"
    for thing in (5, "net", [1], pd.DataFrame(FIRMS)):
        with pytest.raises(ValueError, match=r"not a NetworkX graph; give a networkx\.DiGraph"):
            Imported.model_validate({"graph": thing})


def by_name(plan: Blueprint) -> tuple[dict[str, Any], dict[tuple[str, str], Any]]:
    firms = plan.firms
    rows = {
        plan.firm_name(row): (
            firms.sector_names[firms.sector[row]],
            firms.region_names[firms.region[row]],
            plan.customer_names[plan.customer[row]] if firms.final_demand[row] > 0 else None,
            int(firms.role[row]),
            pytest.approx(firms.final_demand[row], rel=1e-12, abs=0),
            (firms.x[row], firms.y[row]),
        )
        for row in range(len(firms))
    }
    ends = zip(plan.supplier, plan.buyer, plan.flow, plan.importance, strict=True)
    links = {
        (plan.firm_name(a), plan.firm_name(b)): (pytest.approx(flow, rel=1e-12, abs=0), int(level))
        for a, b, flow, level in ends
    }
    return rows, links


@pytest.mark.parametrize(
    "parts",
    [
        {"economy": {"kind": "table", "preset": "us", "industries": 15, "firms": 80}},
        {"economy": {"kind": "uniform", "firms": 60, "inputs": 3}, "network": {"kind": "scale_free"}},
        {"economy": {"kind": "given"}, "network": {"kind": "imported", "firms": with_row(FIRMS, 0, final_demand=0),
                                                   "links": LINKS}},
    ],
    ids=["table", "uniform", "given"],
)  # fmt: skip
def test_an_exported_economy_comes_in_again(parts: dict[str, Any], tmp_path: Path) -> None:
    """Communities and demand edges are no firms and links, and the state of the day stays outside."""
    eco = Ecosystem(Scenario(days=20, **parts))
    eco.run_for(4)
    nx.write_graphml(eco.graph(), tmp_path / "eco.graphml")
    rows, links = by_name(eco.world.plan)
    for network in (Imported(graphml=str(tmp_path / "eco.graphml")), Imported.model_validate({"graph": eco.graph()})):
        plan = network.blueprint()
        found = by_name(plan)
        assert found[0] == rows
        assert found[1] == links
        assert set(plan.customer_names) == set(eco.world.plan.customer_names)
    again = Ecosystem(Scenario(economy={"kind": "given"}, network=network, days=5))
    again.run_for(5)
    np.testing.assert_allclose(again.world.firms.production, again.world.firms.output, rtol=1e-13)


def test_mistakes_in_an_exported_graph_are_named() -> None:
    network = {"kind": "imported", "firms": FIRMS, "links": LINKS}
    graph = Ecosystem(Scenario(economy={"kind": "given"}, network=network)).graph()
    graph.edges["Mill", "Bakery"]["layer"] = "ownership"
    with pytest.raises(ValueError, match="the edge 'Mill' -> 'Bakery' is of layer 'ownership'; choose one of supply"):
        Imported.model_validate({"graph": graph})
    graph.edges["Mill", "Bakery"]["layer"] = "supply"
    graph.remove_edge("Smith", "Farms")  # its 30.5 a day go nowhere
    said = refusal(Imported.model_validate({"graph": graph}))
    assert said == "network.firms, row 3: customer is empty; fill it in, or leave the column out"
    del graph.nodes["Bakery"]["sector"]
    assert "network.firms, row 2: sector is empty" in refusal(Imported.model_validate({"graph": graph}))
    graph.nodes["Mill"]["type"] = "MyOwnFirm"
    graph.add_edge("Smith", "Farms", layer="demand", flow=30.5)
    graph.nodes["Bakery"]["sector"] = "Food"
    assert Imported.model_validate({"graph": graph}).blueprint().firms.role.tolist() == [1, 0, 0, 0]


# --- the scenario around it -------------------------------------------------------------------------------------------


def test_inline_rows_are_placed_in_the_yaml(tmp_path: Path) -> None:
    text = """\
economy: {kind: given}
network:
  kind: imported
  firms:
    - {firm: Mill, sector: Food, final_demand: 100}

    - {firm: Cafe, sector: "", final_demand: lots}
  links:
    - {supplier: Mill, client: Cafe, flow: 1}
    - supplier: Mill
      client: Bank
      flow: 1
"""
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        Ecosystem(load(path))
    said = placed(str(refused.value), path).splitlines()
    assert said == [
        f"{path}:7:7: network.firms, row 2: sector is empty; name the firm's sector",
        f"{path}:7:7: network.firms, row 2: final_demand is 'lots'; give a finite number",
        f"{path}:10:7: network.links, row 2: client 'Bank' is not among the firms of network.firms; "
        "add it or mend the name",
    ]
    kept = placed(str(refused.value), path, ["network.firms"]).splitlines()
    assert kept[0].startswith("network.firms, row 2: ")
    assert kept[2].startswith(f"{path}:10:7: network.links, row 2: ")
    assert placed("network.firms: no firms", path) == f"{path}:5:5: network.firms: no firms"
    assert placed("network.firms, row 99: odd", path) == f"{path}:5:5: network.firms, row 99: odd"
    assert placed("firms.csv:3: odd\n... and 3 more", path) == "firms.csv:3: odd\n... and 3 more"


def test_a_relative_folder_is_joined_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    csv_files(tmp_path / "sub")
    monkeypatch.chdir(tmp_path)
    text = "economy: {kind: given}\nnetwork: {kind: imported, firms: firms.csv, links: links.csv}\n"
    scenario = Scenario.from_yaml(text, base_dir="sub")
    for changed in (scenario, scenario.with_({"network.suppliers": 3}), scenario.with_({"days": 3})):
        monkeypatch.chdir(tmp_path)
        assert changed.network.firms == str(tmp_path / "sub" / "firms.csv")
        monkeypatch.chdir("/")
        assert len(Ecosystem(changed).world.plan.firms) == 4


def test_files_are_read_once(tmp_path: Path) -> None:
    network = csv_files(tmp_path)
    assert network.sources() == {}
    plan = network.blueprint()
    hashes = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.glob("*.csv")}
    assert len(hashes) == 2
    assert network.sources() == hashes
    scenario = Scenario(economy={"kind": "given"}, network=network)
    csv_files(tmp_path, with_row(FIRMS, 1, final_demand=999.0), LINKS[:2])
    assert network.wire(plan.firms, None, None).tolist() == plan.supplier.tolist()
    same_plan(plan, Ecosystem(scenario).world.plan)
    with pytest.raises(ValueError, match="read-only"):  # whoever gets it shares it
        network.blueprint().flow[:] = 7.0
    same_plan(plan, Ecosystem(scenario).world.plan)
    same_plan(plan, pickle.loads(pickle.dumps(scenario)).network.blueprint())
    assert network.sources() == hashes
    fresh = Imported(firms=network.firms, links=network.links)
    assert fresh == network
    assert hash(fresh) == hash(network)
    assert fresh.blueprint().firms.final_demand[1] == 999.0
    assert fresh.sources() != hashes
    other = network.model_copy(update={"links": tuple(LINKS[:1])})
    assert other.sources() == {}
    assert len(other.blueprint().flow) == 1
    assert set(other.sources()) == {str(tmp_path / "firms.csv")}
    same_plan(plan, network.blueprint())


def test_the_sources_of_graphs_and_rows(tmp_path: Path) -> None:
    path = tmp_path / "net.graphml"
    nx.write_graphml(some_graph(), path)
    network = Imported(graphml=str(path))
    network.blueprint()
    assert network.sources() == {str(path): hashlib.sha256(path.read_bytes()).hexdigest()}
    rows = Imported(firms=tuple(FIRMS), links=tuple(LINKS))
    rows.blueprint()
    assert rows.sources() == {}
    assert Imported().sources() == {}
