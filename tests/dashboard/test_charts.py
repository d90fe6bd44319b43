"""Charts, the tables behind them, and files that no spreadsheet takes for formulas."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import charts
from dashboards.worlds import Event

LINE = charts.Line("now", range(5), [100, 80, 60, 90, 100], [99, 78, 55, 85, 99], [100, 82, 66, 95, 100])
BASE = charts.Line("baseline", range(5), [100, 90, 80, 95, 100], dashed=True)
EVENTS = (Event(1, "flood"), Event(2, "worst day", "low"), Event(4, "back within 1 %", "back"))


def test_a_baseline_is_dashed_and_a_band_lies_between_its_edges():
    option = charts.bands("Output", "%", [LINE, BASE], EVENTS)
    series = {one["name"]: one for one in option["series"] if "band" not in one["name"]}
    low, width = [one["data"] for one in option["series"] if one["name"] == "now band"]
    assert series["baseline"]["lineStyle"]["type"] == "dashed"
    assert series["now"]["lineStyle"]["type"] == "solid"
    assert low == [99, 78, 55, 85, 99]
    assert np.add(low, width).tolist() == [100, 82, 66, 95, 100]
    assert option["xAxis"]["data"] == [0, 1, 2, 3, 4]


def test_every_event_is_on_the_chart():
    option = charts.bands("Output", "%", [LINE, BASE], EVENTS)
    marks = [mark for one in option["series"] for mark in one.get("markLine", {}).get("data", [])]
    assert [(mark["xAxis"], mark["label"]["formatter"]) for mark in marks] == [
        (1, "flood (1)"), (2, "worst day (2)"), (4, "back within 1 % (4)"),
    ]  # fmt: skip
    assert len({mark["label"]["distance"] for mark in marks}) == 3


def test_a_line_that_nothing_sways_has_no_band():
    still = charts.Line("now", range(3), [1, 2, 3], [1, 2, 3], [1, 2, 3])
    assert len(charts.bands("Output", "%", [still])["series"]) == 1


def test_the_table_has_the_numbers_of_the_chart():
    table = charts.table_of([LINE, BASE], "%")
    assert table["day"].tolist() == [0, 1, 2, 3, 4]
    assert table["now (%)"].tolist() == LINE.mean
    assert table["now, low"].tolist() == LINE.low
    assert table["baseline (%)"].tolist() == BASE.mean


def test_a_chart_can_be_printed():
    svg = charts.picture("Output", "%", [LINE, BASE], EVENTS, "svg").decode()
    assert svg.lstrip().startswith("<?xml")
    assert all(word in svg for word in ("flood", "baseline", "Output"))
    assert charts.picture("Output", "%", [LINE], EVENTS, "png").startswith(b"\x89PNG")
    assert svg == charts.picture("Output", "%", [LINE, BASE], EVENTS, "svg").decode()


@given(st.text(max_size=12))
def test_no_text_begins_like_a_formula(text):
    for start in ("=", "+", "-", "@", "\t=", " =", "\r="):
        table = pd.DataFrame({start + text: [start + text], "n": [-1.5]})
        rows = list(csv.reader(io.StringIO(charts.safe_csv(table).decode("utf-8-sig"), newline="")))
        assert not rows[0][0].lstrip().startswith(charts.FORMULA)
        assert not rows[1][0].lstrip().startswith(charts.FORMULA)
        assert float(rows[1][1]) == -1.5


@pytest.mark.parametrize("text", ["flour", "3 = 2 + 1", "", "a-b"])
def test_harmless_text_is_left_as_it_is(text):
    assert charts.harmless(text) == text


def test_labels_of_days_are_round():
    steps = [charts._every(days) for days in (7, 60, 120, 180, 365, 730)]
    assert steps == [1, 10, 20, 20, 50, 100]
