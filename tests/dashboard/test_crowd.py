"""Class mode: the room, and a session that follows its teacher."""

import re
import threading
from pathlib import Path

import pytest

from dashboards import crowd, serve
from ecosim import InputError

from .conftest import open_page, start


@pytest.fixture
def room():
    """A class, for as long as a test."""
    yield crowd.open_room("k7-demo")
    crowd.close_rooms()


def test_a_room_is_found_by_its_code_in_any_case(room):
    assert crowd.room(" K7-DEMO ") is room
    assert crowd.room("other") is None
    assert crowd.room("") is None
    assert crowd.only() is room
    assert crowd.open_room("K7-Demo") is room, "there is one room of a code"
    assert len(room.secret) >= 16


@pytest.mark.parametrize("code", ["", "ab", "a" * 21, "späth", "a b c", "x/../y"])
def test_a_code_is_something_that_can_be_typed(code):
    with pytest.raises(InputError, match="3 to 20 letters"):
        crowd.open_room(code)


def test_the_codes_of_the_documentation_can_be_typed():
    text = (Path(__file__).parents[2] / "docs" / "dashboard.md").read_text()
    codes = set(re.findall(r"--class (\w+)", text))
    assert codes
    for code in codes:
        assert crowd.open_room(code) is crowd.room(code)
    crowd.close_rooms()


def test_pupils_are_told_an_address_that_they_can_open(capsys):
    from ecosim.commands import dashboard as command

    assert serve.door("127.0.0.1") == "127.0.0.1"
    assert serve.door("192.0.2.7") == "192.0.2.7"
    assert serve.door("0.0.0.0") not in {"0.0.0.0", "127.0.0.1"}
    command._tell("http://127.0.0.1:8765/", "http://192.0.2.7:8765/", "OAK7", "http://127.0.0.1:8765/teach/x")
    said = capsys.readouterr().out
    assert "pupils open http://192.0.2.7:8765/?class=OAK7" in said
    assert "Only this machine" not in said
    command._tell(*2 * ("http://127.0.0.1:8765/",), "OAK7", "http://127.0.0.1:8765/teach/x")
    assert "Only this machine can open that; for pupils' own devices add --host 0.0.0.0" in capsys.readouterr().out


def test_the_last_bet_of_a_browser_counts(room):
    for name, answer in (("a", "more"), ("b", "less"), ("c", "more"), ("a", "less"), ("d", "equal")):
        room.bet(name, "hubs", answer)
    assert room.histogram("hubs") == {"less": 2, "equal": 1, "more": 1}
    assert list(room.histogram("hubs")) == ["less", "equal", "more"], "most first, equals by name"
    assert (room.own("a", "hubs"), room.own("z", "hubs")) == ("less", None)
    assert room.histogram("another") == {}
    room.forget("hubs")
    assert room.histogram("hubs") == {}


def test_nobody_can_fill_the_memory(room, monkeypatch):
    monkeypatch.setattr(crowd, "QUESTIONS", 2)
    monkeypatch.setattr(crowd, "PUPILS", 2)
    for question in "qrs":
        for name in "abc":
            room.bet(name, question, "x" * 1000)
    assert [sum(room.histogram(question).values()) for question in "qrs"] == [2, 2, 0]
    assert len(next(iter(room.histogram("q")))) == crowd.LETTERS
    room.bet("a", "q", "y")
    assert room.own("a", "q") == "y", "who has answered may change their mind"


def test_everybody_who_joined_is_counted_once(room):
    for name in ("a", "a", "b"):
        room.enter(name)
    assert room.here() == 2
    room.leave("a")
    assert room.here() == 2, "another page of the same browser is open"
    room.leave("a")
    assert room.here() == 1


def test_a_push_wakes_who_waits(room):
    seen, before = [], room.version
    waiting = threading.Thread(target=lambda: seen.append(room.wait(before, 20.0)))
    waiting.start()
    room.push("seed=3", page="/learn")
    waiting.join(20)
    assert (room.pushed.number, room.pushed.page, room.pushed.query) == (1, "/learn", "seed=3")
    assert seen == [room.version]
    assert room.wait(room.version, 0.01) == room.version


def test_what_is_a_browsers_own_is_not_sent(room):
    assert crowd.shared("seed=3&class=K7-DEMO&projector=1&day=4&folder=own-town") == "seed=3&day=4&folder=own-town"
    assert crowd.shared("ecosystem=own-0123456789ab&base.ecosystem=own-0123456789ab&seed=3") == "seed=3"
    room.push("projector=1", page="/")
    assert room.pushed.query == ""


def test_a_room_knows_to_which_step_of_a_lesson_it_was_sent(room):
    assert room.pushed.step("hubs") is None
    for query, step in (("", None), ("learn.lesson=hubs", 0), ("learn.lesson=hubs&learn.step=3", 3)):
        room.push(query, page="/learn")
        assert room.pushed.step("hubs") == step
        assert room.pushed.step("cascade") is None
    room.push("learn.lesson=hubs&learn.step=x", page="/learn")
    assert room.pushed.step("hubs") is None
    room.push("learn.lesson=hubs", page="/")
    assert room.pushed.step("hubs") is None


def test_many_at_once_lose_no_bet(room):
    def answer(number):
        for question in range(20):
            room.bet(f"pupil {number}", f"q{question}", "yes" if number % 3 else "no")

    pupils = [threading.Thread(target=answer, args=(number,)) for number in range(30)]
    for pupil in pupils:
        pupil.start()
    for pupil in pupils:
        pupil.join()
    assert all(room.histogram(f"q{question}") == {"yes": 20, "no": 10} for question in range(20))


# In the browser -------------------------------------------------------------------------------------------------------


PUSHING = """
import sys, threading
from dashboards import crowd
from ecosim import cli

def push():
    for line in sys.stdin:
        page, query = line.split()
        crowd.only().push(query, page=page)

threading.Thread(target=push, daemon=True).start()
cli.main()
"""


def test_pupils_follow_their_teacher_and_others_do_not(chromium):
    server = start("--class", "TEST-2", script=PUSHING)
    try:
        pupil, faults = open_page(chromium, server, "/about?class=test-2&seed=4")
        pupil.get_by_text("Class TEST-2", exact=True).wait_for()
        alone, faults_alone = open_page(chromium, server, "/about?seed=4")
        server.push("/data seed=77&structure=star&learn.step=3")
        pupil.wait_for_url("**/data?structure=star&seed=77&class=TEST-2&learn.step=3")
        late, faults_late = open_page(chromium, server, "/?class=TEST-2")
        late.wait_for_url("**/data?structure=star&seed=77&class=TEST-2&learn.step=3")
        assert alone.url.endswith("/about?seed=4")
        for page in (pupil, alone, late):
            page.context.close()
        assert [*faults, *faults_alone, *faults_late] == []
    finally:
        server.end()


def test_a_class_bets_where_its_teacher_sends_it(chromium):
    server = start("--class", "TEST-3")
    try:
        teacher, faults = open_page(chromium, server, server.teacher)
        pupil, faults_pupil = open_page(chromium, server, "/?class=TEST-3")
        teacher.get_by_role("button", name="Begin lesson 1").click()
        for step in ("Step 2 of", "Step 3 of"):
            teacher.get_by_role("button", name="Next").click()
            teacher.get_by_text(step).wait_for()
        teacher.get_by_text("The class: 0 bets").wait_for()
        assert teacher.locator(".badge").inner_text() == "TEST-3 · 1 pupil"
        assert "Teacher's notes" in teacher.inner_text("#main")
        teacher.get_by_role("button", name="Projector").click()
        teacher.get_by_role("button", name="Send to the class").click()
        teacher.get_by_role("button", name="✓ Sent").wait_for()

        pupil.get_by_text("Step 3 of").wait_for()
        pupil.wait_for_url("**/learn?*learn.lesson=cascade*")
        assert "projector=1" not in pupil.url, "a teacher's projector is not a pupil's"
        assert "TEST-3" in pupil.inner_text(".badge")
        assert pupil.get_by_role("button", name="Send to the class").count() == 0
        assert pupil.get_by_role("button", name="Next").is_disabled(), "nobody turns past a bet before the teacher"
        assert "Teacher's notes" not in pupil.inner_text("#main")
        pupil.locator(".bets input").first.check()
        pupil.get_by_text("Your bet is placed").wait_for()
        assert pupil.get_by_text("The class:").count() == 0, "nobody sees the others' bets before the reveal"
        teacher.get_by_text("The class: 1 bet", exact=True).wait_for()
        assert teacher.locator(".tally").count() == 0, "nor on the wall"
        teacher.get_by_role("button", name="Show the bets").click()
        teacher.locator(".tally").wait_for()
        assert _counted(teacher)[:2] == [1, 0]
        pupil.locator(".bets input").nth(1).check()
        teacher.wait_for_function("[...document.querySelectorAll('.tally strong')][1].textContent === '1'")
        assert _counted(teacher)[:2] == [0, 1]

        teacher.get_by_role("button", name="Next").click()
        teacher.get_by_text("Step 4 of").wait_for()
        teacher.get_by_role("button", name="Send to the class").click()
        pupil.get_by_text("Step 4 of").wait_for()
        pupil.get_by_text("Your bet was").wait_for()
        pupil.locator(".tally").wait_for()
        pupil.locator(".bet.right").wait_for()
        assert pupil.locator(".bet.right").count() == 1
        assert _counted(pupil)[:2] == [0, 1]
        pupil.reload()
        pupil.get_by_text("Your bet was").wait_for()
        pupil.get_by_role("button", name="Back").click()
        pupil.get_by_text("Step 3 of").wait_for()
        pupil.locator(".bets input").nth(2).check()
        pupil.get_by_text("Your bet is placed").wait_for()
        assert _counted(teacher)[:2] == [0, 1], "what is revealed is bet on no more"

        teacher.get_by_role("link", name="Explore").click()
        teacher.get_by_label("Structure").select_option("star")
        teacher.wait_for_url("**/?structure=star*")
        teacher.get_by_role("button", name="Send to the class").click()
        pupil.wait_for_url("**/?structure=star*class=TEST-3*")
        for page in (teacher, pupil):
            page.context.close()
        assert [*faults, *faults_pupil] == []
    finally:
        server.end()


def _counted(page):
    """Bets for each answer."""
    return [int(text) for text in page.locator(".tally strong").all_inner_texts()]
