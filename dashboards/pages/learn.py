"""The page Learn: guided lessons, each with bets, reveals, questions, and notes for the teacher; and the class."""

from __future__ import annotations

import html
from functools import partial
from typing import TYPE_CHECKING, Any

import solara

from .. import controls, crowd, jobs, session
from ..answers import lessons
from ..shell import pupils
from . import parts
from .learn_world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from ecosim.lesson.spec import BetStep, Lesson

    from ..answers.lessons import Shown

TITLE = "Learn"
ICON = "mdi-school"
SHOWN = " The next step shows what happens."
LEAD = "Lessons of about half an hour. Place your bet first, then see what happens, then talk about why."


@solara.component
def Page() -> None:
    """The list of lessons, or one of them."""
    here = session.current()
    known, chosen = lessons.known(), here.get("learn.lesson")
    with solara.Div(classes=["page"]):
        if chosen in known:
            parts.Head(known[chosen].title, known[chosen].summary)
            Lived(chosen, known[chosen]).key(chosen)
        else:
            parts.Head("Learn", LEAD)
            Join()
            with solara.Div(classes=["cards", "lessons"]):
                for at, (name, lesson) in enumerate(known.items(), 1):
                    Card(at, name, lesson)


@solara.component
def Join() -> None:
    """A place for the code of a class; the teacher sees who is there."""
    here, room = session.current(), crowd.use_room()
    if crowd.only() is None:
        return
    with solara.v.Html(tag="section", class_="card", attributes={"aria-label": "Class"}):
        if room is None:
            with solara.Div(classes=["fields"]):
                parts.Field(
                    "Code of your class",
                    here.code.value,
                    lambda code: here.code.set(code.strip()[:20]),
                    "as on the board",
                )
            if here.code.value:
                parts.Alert(f"There is no class {here.code.value[:20]}; look at the board again.")
        elif crowd.is_teacher(room):
            parts.Words("h2", f"Class {room.code}: {pupils(room.here())} here")
            if room.door:
                parts.Words("p", f"Pupils open {room.door}?class={room.code}", ["bigger"])
            parts.Note(
                "Open a lesson, or any other page, and press Send to the class above when it is time for it: "
                "pupils see what you see. Bets come back as you watch."
            )
        else:
            parts.Words("h2", f"You are in class {room.code}")
            parts.Note("Your teacher sends you where the class is.")


@solara.component
def Card(at: int, name: str, lesson: Lesson) -> None:
    """A lesson in the list."""
    with solara.v.Html(tag="section", class_="card stack", attributes={"aria-label": lesson.title}):
        parts.Words("h2", f"{at}. {lesson.title}")
        parts.Words("p", lesson.summary)
        parts.Note(f"{lesson.minutes} minutes · {lesson.age} · {lesson.level}")
        solara.v.Html(
            tag="ul",
            class_="note",
            style_="padding-left: 1.2rem",
            children=[parts.Words("li", goal) for goal in lesson.goals],
        )
        with solara.Div(classes=["row"], style={"margin-top": "auto"}):
            controls.Button(f"Begin lesson {at}", lambda: _go(name, 0), "primary")


def _go(name: str | None, step: int) -> None:
    here = session.current()
    here.put("learn.lesson", name)
    here.put("learn.step", str(step) if name and step else None)


# --- a lesson --------------------------------------------------------------------------------------------------------


@parts.stacked
def Lived(name: str, lesson: Lesson) -> None:
    """A lesson; where no page that ships has its runs, they are lived when nobody has had it before."""
    here, room = session.current(), crowd.use_room()
    printed = lessons.printed(name)
    living = jobs.Question(lessons.live, (name,), firm_days=lambda: lessons.firm_days(lesson))
    asked = jobs.use_questions(() if printed else (living,))
    placed, set_bets = solara.use_state({})
    bets = lessons.answers(lesson, partial(_own, room, name)) | placed
    text = here.get("learn.step", "0")
    at = min(int(text), len(lesson.steps) - 1) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    shown: Shown | None = printed or asked.answers[0]
    taught = room is not None and not crowd.is_teacher(room)
    sent = room.pushed.step(name) if room is not None and taught else None

    def bet(step: str, option: int) -> None:
        set_bets({**placed, step: option})
        if room is not None and (sent is None or sent <= at):  # what is revealed is bet on no more
            of = next(each for each in lesson.steps if getattr(each, "name", None) == step)
            room.bet(crowd.me(), f"{name}.{step}", of.options[option].label)  # type: ignore[union-attr]

    marks = "".join(f'<span class="{"done" if place <= at else ""}"></span>' for place in range(len(lesson.steps)))
    with solara.Div(classes=["row"]):
        controls.Button("All lessons", lambda: _go(None, 0), "quiet")
        solara.HTML(tag="div", classes=["steps"], attributes={"aria-hidden": "true"}, unsafe_innerHTML=marks)
        parts.Words("span", f"Step {at + 1} of {len(lesson.steps)}", ["muted"], role="status")
    parts.Working(asked, f"Living the town {lesson.points * lesson.replicates:,} times, once for everybody")
    if shown is not None or (lesson.steps[at].kind in ("text", "bet") and lessons.early(lesson, at) is not None):
        # Reading and betting need no runs: they are lived meanwhile.
        Step(name, lesson, at, shown, bets, bet, room, taught).key(f"{name}-{at}")
    with solara.Div(classes=["row"]):
        controls.Button("Back", lambda: _go(name, at - 1), disabled=at == 0)
        waits = sent is not None and sent <= at and lesson.steps[at].kind == "bet"
        last = at + 1 >= len(lesson.steps)
        controls.Button("Next", lambda: _go(name, at + 1), "primary", disabled=last or waits)
        if waits:
            parts.Note("Your teacher goes on when everybody has bet.")
    if not taught:
        with solara.Div(classes=["row"]):
            if printed is not None:
                one_file = partial(lessons.one_file, name)
                controls.Download("This lesson as one file", one_file, f"{name}.html", "text/html")
                parts.Note("It opens in any browser, without a network and without ecosim.")
        Notes(lesson, opened=False)


def _own(room: crowd.Room | None, name: str, step: str) -> str | None:
    """What this browser has answered in its class, which a page that is opened anew goes on from."""
    return None if room is None else room.own(crowd.me(), f"{name}.{step}")


@solara.component
def Notes(lesson: Lesson, opened: bool) -> None:
    """Notes for the teacher, out of the pupils' sight until they are opened."""
    from ecosim.lesson.words import marked_up

    shown, show = solara.use_state(opened)
    with solara.Div(classes=["stack"]):
        with solara.Div(classes=["row"]):
            controls.Button(
                "Hide the teacher's notes" if shown else "Teacher's notes",
                lambda: show(not shown),
                "quiet",
                pressed=shown,
            )
        if shown:
            with solara.Div(classes=["card"]):
                solara.HTML(tag="div", classes=["prose"], unsafe_innerHTML=marked_up(lesson.teacher))


@parts.stacked
def Step(
    name: str,
    lesson: Lesson,
    at: int,
    shown: Shown | None,
    bets: dict[str, int],
    bet: Callable[[str, int], None],
    room: crowd.Room | None,
    taught: bool,
) -> None:
    """One step: something to read, a bet, its reveal, the world to try, or a question."""
    step: Any = lesson.steps[at]
    hinted, hint = solara.use_state(False)
    with solara.v.Html(tag="section", class_="card stack step", attributes={"aria-label": step.title}):
        parts.Words("h2", step.title)
        if step.kind == "reveal" and shown is not None:
            Reveal(name, lesson, step.bet, shown, bets, room)
        text = shown.texts[at] if shown is not None else lessons.early(lesson, at)
        if text:
            solara.HTML(tag="div", classes=["prose"], unsafe_innerHTML=text)
        if step.kind == "bet":
            _Bets(
                label=step.title,
                options=[option.label for option in step.options],
                chosen=bets.get(step.name),
                right=None,
                event_pick=lambda option: bet(step.name, int(option)),
            )
            parts.Words(
                "p",
                "Choose one." if step.name not in bets else f"Your bet is placed.{SHOWN if room is None else ''}",
                ["note"],
                role="status",
            )
            if room is not None and not taught:
                Tally(step, f"{name}.{step.name}", veiled=True)
        tasks = getattr(step, "tasks", ())
        if tasks:
            with solara.Div(classes=["prose"]):
                solara.v.Html(tag="ul", class_="tasks", children=[parts.Words("li", task) for task in tasks])
        if step.kind == "question" and shown is not None and shown.hints[at] and not taught:
            with solara.Div(classes=["row"]):
                label = "Hide what may be said" if hinted else "What may be said"
                controls.Button(label, lambda: hint(not hinted), pressed=hinted)
            if hinted:
                solara.HTML(tag="div", classes=["prose"], unsafe_innerHTML=shown.hints[at])
    if step.kind in ("explore", "reveal") and shown is not None:
        World(lesson, step, shown)


@solara.component_vue("bets.vue")
def _Bets(
    label: str,
    options: list[str],
    chosen: int | None,
    right: int | None,
    event_pick: Callable[[int], None] | None = None,
) -> None:
    """Answers to choose one of, as native radio buttons."""


@parts.stacked
def Reveal(name: str, lesson: Lesson, bet: str, shown: Shown, bets: dict[str, int], room: crowd.Room | None) -> None:
    """What was right, beside what was bet."""
    step: BetStep = next(each for each in lesson.steps if getattr(each, "name", None) == bet)  # type: ignore[assignment]
    right = shown.right[bet]
    if bet in bets:
        parts.Words(
            "p", "Your bet was right." if bets[bet] == right else "Your bet was another one.", ["bigger"], role="status"
        )
    _Bets(label=step.title, options=[option.label for option in step.options], chosen=bets.get(bet), right=right)
    if room is not None:
        Tally(step, f"{name}.{bet}")


@solara.component
def Tally(step: BetStep, question: str, veiled: bool = False) -> None:
    """How the class bet, as bars with their numbers; it follows the class itself, for no part above it changes.

    ``veiled`` hides the bars until they are asked for: what others bet would be bet by who sees it on the wall.
    """
    hidden, veil = solara.use_state(veiled)
    room = crowd.use_room()
    counted = lessons.tally(step, {} if room is None else room.histogram(question))
    most = max([many for _, many in counted] + [1])
    bars = "".join(
        f"<span>{html.escape(label)}</span><span class='bar-of' style='width: {100 * many / most:.0f}%'></span>"
        f"<strong>{many}</strong>"
        for label, many in counted
    )
    with solara.Div():
        total = sum(many for _, many in counted)
        parts.Words("h3", f"The class: {total} {'bet' if total == 1 else 'bets'}")
        if hidden:
            controls.Button("Show the bets", lambda: veil(False))
        else:
            solara.HTML(tag="div", classes=["tally"], unsafe_innerHTML=bars)
