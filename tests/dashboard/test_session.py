"""What a session holds, and that its address says all of it."""

import time
from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import choice
from dashboards.session import DEEPEST, STEP, Session


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


CHOICES = st.builds(
    choice.Choice,
    ecosystem=st.sampled_from(sorted(choice.ECOSYSTEMS)),
    structure=st.sampled_from(sorted(choice.STRUCTURES)),
    shock=st.sampled_from(sorted(choice.SHOCKS)),
    severity=st.integers(0, 20).map(lambda n: 5.0 * n),
    stock=st.none() | st.integers(1, 60).map(float),
    seed=st.integers(0, 999),
)


@given(CHOICES, st.none() | CHOICES, st.none() | st.integers(0, 400), st.booleans(), st.text(max_size=12))
def test_the_address_says_everything(chosen, pinned, day, projector, own):
    one, two = Session(), Session()
    one.choice.value, one.baseline.value, one.day.value, one.projector.value = chosen, pinned, day, projector
    one.code.value = "K7"
    one.put("compare.worlds", own)
    two.read(one.address())
    assert (two.choice.value, two.baseline.value, two.day.value) == (chosen, pinned, day)
    assert (two.projector.value, two.code.value, two.get("compare.worlds")) == (projector, "K7", own)
    assert two.told.value == ()
    assert two.address() == one.address()


def test_a_plain_session_has_a_plain_address():
    assert Session().address() == ""


def test_a_baseline_is_written_by_what_differs():
    here = Session()
    here.choice.value = choice.Choice(seed=3, severity=80.0)
    here.baseline.value = choice.Choice(seed=3)
    assert parse_qs(here.address(), keep_blank_values=True) == {
        "severity": ["80"],
        "seed": ["3"],
        "base.severity": [""],
    }


def test_what_is_wrong_in_an_address_is_told_and_falls_back():
    here = Session()
    here.read("seed=many&day=-3&structure=spaghetti&unknown=1&projector=yes")
    assert (here.choice.value, here.day.value, here.projector.value) == (choice.Choice(), None, False)
    assert sorted(text.split(" ")[0] for text in here.told.value) == ["day=-3", "seed=many", "structure=spaghetti"]


def test_a_message_is_told_once():
    here = Session()
    here.tell("a")
    here.tell("a")
    assert here.told.value == ("a",)


def change(here, **changes):
    here.choice.value = replace(here.choice.value, **changes)
    here.remember()


def test_undo_goes_back_step_by_step_and_a_drag_is_one_step(clock):
    here = Session()
    here.remember()
    for seed in (2, 3):
        clock[0] += STEP + 0.1
        change(here, seed=seed)
    clock[0] += STEP
    for severity in (65.0, 70.0, 75.0):  # dragged
        clock[0] += STEP / 4
        change(here, severity=severity)
    clock[0] += STEP + 0.1
    change(here, seed=9)
    seen = []
    while here.past.value:
        here.undo()
        here.remember()
        seen.append((here.choice.value.seed, here.choice.value.severity))
    assert seen == [(3, 75.0), (3, 60.0), (2, 60.0), (1, 60.0)]
    here.undo()
    assert here.choice.value == choice.Choice()


def test_a_change_right_after_the_page_has_opened_can_be_undone(clock):
    here = Session()
    here.read("seed=5")
    change(here, seed=6)
    here.undo()
    assert here.choice.value.seed == 5


def test_undo_of_a_what_if_takes_its_baseline_away_and_keeps_one_that_was_pinned(clock):
    here = Session()
    here.remember()
    before = here.choice.value
    clock[0] += STEP + 0.1
    change(here, now=(choice.Now(40),))  # as Explore does it: the branch, and then what it is compared with
    here.baseline.value = before
    here.remember()
    here.undo()
    assert (here.choice.value, here.baseline.value) == (before, None)
    here.baseline.value = before
    here.remember()
    clock[0] += STEP + 0.1
    change(here, seed=8)
    here.undo()
    assert (here.choice.value, here.baseline.value) == (before, before)


def test_undo_keeps_a_bounded_past(clock):
    here = Session()
    here.remember()
    for seed in range(2, DEEPEST + 50):
        clock[0] += STEP + 0.1
        change(here, seed=seed)
    assert len(here.past.value) == DEEPEST


def test_what_a_page_puts_can_be_taken_out():
    here = Session()
    here.put("learn.step", "2")
    here.put("learn.step", None)
    assert here.address() == ""
    assert here.get("learn.step", "1") == "1"
