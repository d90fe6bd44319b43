"""Input-output tables: the files' own identities, the balanced tables, and figures computed another way."""

from __future__ import annotations

import csv
import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ecosim.calibration import tables
from ecosim.calibration.industries import WIOD_INDUSTRIES
from ecosim.calibration.tables import InputOutputTable, available, describe, load_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENTRIES = [(entry.preset, entry.industries) for entry in available()]
WIOD = [preset for preset, _ in ENTRIES if preset != "us"]
DATA = resources.files("ecosim") / "data"
# How many of the 71 industries, in their order, make up each of the 15: counted in the two lists of names.
GROUPS = np.repeat(np.arange(15), [2, 3, 1, 1, 19, 1, 4, 8, 4, 7, 6, 5, 4, 1, 5])


def read_csv(name: str) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Columns, rows and cells of a BEA file, read apart from the code under test."""
    lines = list(csv.reader((DATA / "bea" / name).read_text(encoding="utf-8").splitlines()))
    cells = [[float(cell.replace("---", "0")) for cell in line[1:]] for line in lines[1:]]
    return lines[0][1:], [line[0] for line in lines[1:]], np.array(cells)


def read_json(preset: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((DATA / "wiod" / f"{preset.upper()}_2011.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(params=ENTRIES, ids=[f"{preset}-{size}" for preset, size in ENTRIES])
def table(request: pytest.FixtureRequest) -> InputOutputTable:
    preset, size = request.param
    return load_table(preset, size)


# --- every table --------------------------------------------------------------------------------------------------


def test_rows_add_up_to_output(table: InputOutputTable) -> None:
    np.testing.assert_allclose(table.flows.sum(axis=1) + table.final_demand, table.output, rtol=1e-12)


def test_nothing_is_negative_and_every_industry_produces(table: InputOutputTable) -> None:
    assert table.flows.min() >= 0.0
    assert table.final_demand.min() >= 0.0
    assert table.output.min() > 0.0
    assert all(np.isfinite(array).all() for array in (table.flows, table.final_demand, table.output))


def test_inputs_cost_less_than_output(table: InputOutputTable) -> None:
    assert table.input_share.max() < 1.0
    np.testing.assert_allclose(table.coefficients.sum(axis=0), table.input_share, rtol=1e-12)
    column = table.industries // 2
    np.testing.assert_allclose(table.coefficients[:, column], table.flows[:, column] / table.output[column])


def test_leontief_inverse_is_productive(table: InputOutputTable) -> None:
    assert np.abs(np.linalg.eigvals(table.coefficients)).max() < 1.0
    inverse = np.linalg.inv(np.eye(table.industries) - table.coefficients)
    assert inverse.min() > -1e-12
    np.testing.assert_allclose(inverse @ table.final_demand, table.output, rtol=1e-9)


def test_shapes_names_and_provenance(table: InputOutputTable) -> None:
    k = table.industries
    assert (table.flows.shape, table.final_demand.shape, table.output.shape) == ((k, k), (k,), (k,))
    assert len(set(table.sectors)) == k
    assert all(table.sectors)
    assert table.unit == "million USD a year"
    assert table.notes
    assert ("Timmer" in table.citation) == (table.preset != "us")
    assert ("public domain" in table.terms) == (table.preset == "us")


def test_arrays_are_read_only(table: InputOutputTable) -> None:
    for array in (table.flows, table.final_demand, table.output):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_describe(table: InputOutputTable) -> None:
    frame = describe(table)
    assert list(frame.columns) == ["output", "output_percent", "input_share", "final_demand_share"]
    assert tuple(frame.index) == table.sectors
    assert frame["output_percent"].sum() == pytest.approx(100.0)
    assert frame["final_demand_share"].between(0.0, 1.0).all()
    last = table.sectors[-1]
    assert frame.loc[last, "final_demand_share"] == pytest.approx(1 - table.flows[-1].sum() / table.output[-1])


# --- what is there, and what is not -------------------------------------------------------------------------------


def test_available_lists_what_loads() -> None:
    assert ENTRIES == [
        ("us", 15),
        ("us", 71),
        ("aut", 35),
        ("deu", 35),
        ("gbr", 35),
        ("hun", 34),
        ("ita", 35),
        ("jpn", 34),
        ("usa", 35),
    ]
    assert {entry.year for entry in available() if entry.preset == "us"} == {"not stated in the file"}
    assert {entry.year for entry in available() if entry.preset != "us"} == {"2011"}
    for preset, size in ENTRIES:
        assert load_table(preset, size).industries == size


def test_tables_are_shared() -> None:
    assert load_table("us") is load_table("us", 15)
    assert load_table("hun") is load_table("hun", 34)
    assert load_table("hun") is load_table("hun", 35)
    assert load_table("us") is not load_table("us", 71)


@pytest.mark.parametrize(
    ("preset", "industries", "words"),
    [
        ("US", None, ["'US'", "us, aut, deu, gbr, hun, ita, jpn, usa", "Did you mean 'us'"]),
        ("ger", None, ["'ger'", "deu", "gbr"]),
        ("us", 70, ["'us'", "70", "15 or 71", "Did you mean 71?"]),
        ("us", 0, ["0", "15 or 71", "Did you mean 15?"]),
        ("hun", 15, ["'hun'", "15", "34 or 35", "Did you mean 34?"]),
        ("deu", 34, ["34", "valid are 35"]),
    ],
)
def test_unknown_table_is_refused(preset: str, industries: int | None, words: list[str]) -> None:
    with pytest.raises(ValueError, match="valid are") as caught:
        load_table(preset, industries)
    assert [word for word in words if word not in str(caught.value)] == []


def test_no_hint_where_nothing_is_near() -> None:
    with pytest.raises(ValueError, match="unknown preset") as caught:
        load_table("zzzz")
    assert "Did you mean" not in str(caught.value)


def test_readme_names_every_source_and_the_residuals_measured() -> None:
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    for folder in ("bea", "wiod"):
        for file in (DATA / folder).iterdir():
            assert file.name.removesuffix("_2011.json") in readme
    for preset in WIOD:
        line = next(line for line in readme.splitlines() if line.startswith(f"| {preset} |"))
        row, percent, code, total, all_percent = re.search(  # type: ignore[union-attr]
            r"at most ([\d,]+) .* at most ([\d.]+)% of output \((c\d+), .* in all ([\d,]+) .* or ([\d.]+)%",
            load_table(preset).notes[0],
        ).groups()
        assert f"| {row} | {percent} % ({code}, " in line
        assert f"| {total} | {all_percent} % |" in line


# --- BEA: identities of the files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [15, 71])
def test_bea_files_add_up(size: int) -> None:
    make_columns, make_rows, make = read_csv(f"make_{size}.csv")
    use_columns, use_rows, use = read_csv(f"use_{size}.csv")
    count = size + 2
    assert make_rows[:count] == use_rows[:count]
    if size == 15:
        assert make_columns[:size] == use_columns[:size] == make_rows[:size]
    else:
        assert make_columns[:size] == make_rows[:size]
    # Cells are rounded to millions, so a sum of some dozens of them is a few millions off.
    np.testing.assert_allclose(make[:count].sum(axis=0), make[count], atol=3)
    np.testing.assert_allclose(use[:count].sum(axis=0)[:size], use[count, :size], atol=5)
    np.testing.assert_allclose(use[:count, :size].sum(axis=1), use[:count, size], atol=5)
    np.testing.assert_array_equal(
        make[count, :size], use[use_rows.index("Total industry output (basic prices)"), :size]
    )
    np.testing.assert_allclose(
        use[use_rows.index("Total Intermediate"), :size] + use[use_rows.index("Value Added (basic prices)"), :size],
        make[count, :size],
        atol=3,
    )
    gap = use[:count, size:-1].sum(axis=1) - use[:count, -1]
    assert sorted(np.abs(gap))[-3:] == pytest.approx([2, 4289, 4289], abs=1.5)  # the two rows README names


def test_bea_imports_follow_from_supply() -> None:
    columns, _, make = read_csv("make_15.csv")
    stated = make[:17, columns.index("Imports")]
    np.testing.assert_allclose(tables._read_accounts(15).imports, stated, atol=3)
    assert tables._read_accounts(71).imports.sum() == pytest.approx(stated.sum(), abs=20)


@pytest.mark.parametrize("size", [15, 71])
def test_basic_prices_keep_supply_and_take_off_the_taxes_of_the_file(size: int) -> None:
    accounts = tables._read_accounts(size)
    basic, _ = tables._basic_prices(accounts)
    np.testing.assert_allclose(basic.sum(axis=1), accounts.supply, rtol=1e-9)
    _, rows, use = read_csv(f"use_{size}.csv")
    net_taxes = use[rows.index("Taxes on products and imports"), :size].sum()
    net_taxes -= use[rows.index("Less: Subsidies on products"), :size].sum()
    assert net_taxes == pytest.approx(829_217, abs=3)
    assert accounts.use.sum() - basic.sum() == pytest.approx(net_taxes, abs=15)
    # What an industry pays changes by less than a tenth: margins come back as trade and transport, taxes do not.
    paid = basic[:, :size].sum() / accounts.use[:, :size].sum()
    assert 0.9 < paid < 1.0


@pytest.mark.parametrize("size", [15, 71])
def test_bea_output_is_the_files(size: int) -> None:
    _, rows, make = read_csv(f"make_{size}.csv")
    table = load_table("us", size)
    np.testing.assert_array_equal(table.output, make[rows.index("Total industry supply"), :size])
    assert table.output.sum() == pytest.approx(40_575_547, abs=3)
    assert table.sectors == tuple(rows[:size])


@pytest.mark.parametrize("size", [15, 71])
def test_bea_industries_buy_no_more_than_the_files_say(size: int) -> None:
    """Taking imports and taxes out only lowers what an industry buys in all."""
    _, rows, use = read_csv(f"use_{size}.csv")
    bought = use[rows.index("Total Intermediate"), :size]
    assert (load_table("us", size).flows.sum(axis=0) < 1.001 * bought).all()


# --- BEA: figures computed by hand --------------------------------------------------------------------------------


def test_construction_sold_to_utilities_by_hand() -> None:
    """Services only: no margins. Numbers are cells of make_15.csv and use_15.csv."""
    # Construction firms make construction (1,961,243 of 2,049,070) and professional services (726 of 5,887,835).
    construction = 8_097 * 2_049_071 / 2_051_653
    construction *= 1 - 1 / (2_049_071 - 115 * 2_049_071 / 2_051_653)
    uses = 4_250_451 + 305_821 + 1_024_058 + 270_431 + 245_445
    basic = 6_053_945 / uses
    professional = 49_659 * basic * (1 - 166_110 / (6_053_945 - 270_431 * basic))
    expected = construction * 1_961_243 / 2_049_070 + professional * 726 / 5_887_835
    table = load_table("us")
    sold = table.flows[table.sectors.index("Construction"), table.sectors.index("Utilities")]
    assert sold == pytest.approx(expected, rel=1e-4)


def test_farm_goods_sold_to_manufacturers_by_hand() -> None:
    """A good with margins: the retail part goes to households, the rest to all. Cells of the 15-industry files."""
    # Good: (supply, uses, household uses), uses summed over buyers.
    goods = {
        "farm": (621_663, 815_406, 206_441),
        "mining": (701_155, 840_030, 61),
        "manufacturing": (8_372_016, 12_655_712, 4_680_651),
        "information": (1_720_078, 1_928_738, 706_747),
        "scrap": (34_571, 262_669, 262_669),  # households buy more than all of it: sales of used goods are negative
    }
    retail_margins = 1_910_218 - 14_288
    bearing = sum((uses - supply) * household / uses for supply, uses, household in goods.values())
    supply, uses, household = goods["farm"]
    difference = uses - supply
    retail = retail_margins / bearing * difference * household / uses
    to_all = (difference - retail) / uses
    basic, export = 361_145 * (1 - to_all), 84_924 * (1 - to_all)
    farm = basic * (1 - 73_929 / (supply - export)) * 540_875 / 547_735
    table = load_table("us")
    sold = table.flows[table.sectors.index("Agriculture, forestry, fishing, and hunting"), 4]
    # Farms also make 2,071 of recreation, 244 of construction, 10 of manufactures: below a thousandth of this flow.
    assert table.sectors[4] == "Manufacturing"
    assert sold == pytest.approx(farm, rel=1e-3)


# --- BEA: against other tables ------------------------------------------------------------------------------------


def test_71_industries_add_up_to_15() -> None:
    """The two sizes are of the same year: outputs agree to rounding, flows nearly (imports are finer in the 71)."""
    coarse, fine = load_table("us", 15), load_table("us", 71)
    join = (GROUPS[:, np.newaxis] == np.arange(15)).astype(float)
    np.testing.assert_allclose(join.T @ fine.output, coarse.output, atol=2)
    flows = join.T @ fine.flows @ join
    assert np.abs(flows - coarse.flows).sum() < 0.05 * coarse.flows.sum()
    np.testing.assert_allclose(flows.sum(axis=1), coarse.flows.sum(axis=1), rtol=0.08)
    np.testing.assert_allclose(flows.sum(axis=0), coarse.flows.sum(axis=0), rtol=0.05)


@pytest.mark.parametrize(
    ("bea", "wiod"),
    [
        ("Wholesale trade", "c20"),
        ("Retail trade", "c21"),
        ("Construction", "c18"),
    ],
)
def test_us_sells_to_final_demand_as_in_the_world_table(bea: str, wiod: str) -> None:
    """Another source for the same country (2011), where both draw the sector alike; trade shows how margins went."""
    ours = describe(load_table("us")).loc[bea, "final_demand_share"]
    theirs = describe(load_table("usa")).loc[WIOD_INDUSTRIES[wiod], "final_demand_share"]
    assert ours == pytest.approx(theirs, abs=0.15)


# --- WIOD ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", WIOD)
def test_wiod_rows_sell_and_the_residual_is_final_demand(preset: str) -> None:
    raw, table = read_json(preset), load_table(preset)
    kept = np.array(raw["output"]) > 0
    np.testing.assert_array_equal(table.output, np.array(raw["output"])[kept])
    names = [WIOD_INDUSTRIES[code] for code, keep in zip(raw["industries"], kept, strict=True) if keep]
    assert list(table.sectors) == names
    stated = np.array(raw["final_demand_domestic"]).sum(axis=1)
    stated = (stated + np.array(raw["exports_final"]) + np.array(raw["exports_intermediate"]))[kept]
    residual = table.final_demand - stated
    mended = table.final_demand == 0.0
    assert mended.sum() == (preset == "jpn")
    assert residual[~mended].min() >= -10.0  # nearly all fall short, as if decimals were cut off
    assert residual[~mended].max() < 100.0
    assert residual[~mended].sum() < 0.007 * table.output.sum()
    same = np.array(raw["Z_domestic"], dtype=float)[np.ix_(kept, kept)]
    np.testing.assert_array_equal(table.flows[~mended], same[~mended])


@pytest.mark.parametrize("preset", WIOD)
def test_wiod_rows_sell_to_columns(preset: str) -> None:
    """Read the other way round (columns sell), the file would miss output by far more."""
    raw = read_json(preset)
    flows, output = np.array(raw["Z_domestic"], dtype=float), np.array(raw["output"], dtype=float)
    other = np.array(raw["final_demand_domestic"]).sum(axis=1)
    other = other + np.array(raw["exports_final"]) + np.array(raw["exports_intermediate"])
    right, wrong = (np.abs(output - flows.sum(axis=axis) - other).sum() for axis in (1, 0))
    assert right < 0.05 * wrong
    # With imported inputs, too, no industry pays more than it earns.
    assert (flows.sum(axis=0) + np.array(raw["imported_inputs"]) <= output).all()


def test_japanese_mining_sells_out_of_stocks() -> None:
    raw, table = read_json("jpn"), load_table("jpn")
    sold = sum(raw["Z_domestic"][1])
    assert (sold, raw["output"][1]) == (45_068, 40_771)
    assert table.final_demand[1] == 0.0
    np.testing.assert_allclose(table.flows[1], np.array(raw["Z_domestic"][1][:34]) * 40_771 / 45_068)
    assert any("4,297" in note and "0.9047" in note for note in table.notes)


@pytest.mark.parametrize("preset", ["hun", "jpn"])
def test_industries_without_output_are_dropped(preset: str) -> None:
    table = load_table(preset)
    assert WIOD_INDUSTRIES["c35"] not in table.sectors
    assert any("dropped" in note and "c35" in note for note in table.notes)
    flows = np.array(read_json(preset)["Z_domestic"])
    assert flows[34].sum() == flows[:, 34].sum() == 0


def test_wiod_names_are_those_of_the_files() -> None:
    assert list(WIOD_INDUSTRIES) == [f"c{number}" for number in range(1, 36)]
    assert all(read_json(preset)["industries"] == list(WIOD_INDUSTRIES) for preset in WIOD)
    assert len(set(WIOD_INDUSTRIES.values())) == 35


# --- guards -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flows", "output", "sectors", "problem"),
    [
        ([[1.0, -2.0], [1.0, 1.0]], [9.0, 9.0], ("a", "b"), "negative flow"),
        ([[1.0, 9.0], [1.0, 0.0]], [9.0, 19.0], ("a", "b"), "negative final demand"),
        ([[4.0, 1.0], [5.0, 1.0]], [9.0, 9.0], ("a", "b"), "input share of 1 or more"),
        ([[1.0, 1.0], [1.0, 1.0]], [9.0, 9.0], ("a", "a"), "repeated sector name"),
    ],
)
def test_unbalanced_tables_are_refused(
    flows: list[list[float]], output: list[float], sectors: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        tables._finish("us", sectors, np.array(flows), np.array(output), ())
