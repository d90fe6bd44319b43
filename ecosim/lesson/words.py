"""The texts of a lesson as HTML, with the figures of the runs in them."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from ecosim.errors import InputError
from ecosim.lesson import claims
from ecosim.lesson.spec import BetStep

if TYPE_CHECKING:
    from ecosim.lesson.lived import Lived

BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
EMPHASIS = re.compile(r"(?<!\*)\*([^*\n]+)\*(?!\*)")


def filled(text: str, lived: Lived) -> str:
    """A text with means over the runs in place of what stands in braces."""

    def figure(found: re.Match[str]) -> str:
        what, form = claims.split(found[1])
        value = float(claims.sample(what, lived.lesson, lived.runs).mean())
        return _written(value, form or f".{_digits(what, lived)}f")

    return claims.FIGURE.sub(figure, text)


def _written(value: float, form: str) -> str:
    """A number as people write it: a true minus, and no minus before nothing."""
    text = format(value, form)
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")


def _digits(what: str, lived: Lived) -> int:
    """Digits of the first outcome that is named."""
    return next(outcome.digits for name, outcome in lived.lesson.outcomes.items() if name in what)


def marked_up(text: str) -> str:
    """Paragraphs, lists, bold and emphasis as HTML; everything else is text."""
    blocks = []
    for block in re.split(r"\n\s*\n", html.escape(text, quote=False).strip()):
        lines = re.sub(r"\n(?!- )\s*", " ", block).split("\n")  # a line goes on, unless a list begins
        if lines[0].startswith("- "):
            blocks.append("<ul>" + "".join(f"<li>{line[2:]}</li>" for line in lines) + "</ul>")
        else:
            items = "".join(f"<li>{line[2:]}</li>" for line in lines[1:])
            blocks.append(f"<p>{lines[0]}</p>" + (f"<ul>{items}</ul>" if items else ""))
    return EMPHASIS.sub(r"<em>\1</em>", BOLD.sub(r"<strong>\1</strong>", "".join(blocks)))


def told(text: str, lived: Lived) -> str:
    """A text as HTML, with its figures."""
    return marked_up(filled(text, lived))


def proven(lived: Lived) -> dict[str, int]:
    """Number of the right option of each bet.

    Raises InputError where the runs do not show what a text claims, or show no option of a bet, or several.
    """
    lesson, right = lived.lesson, {}
    for at, step in enumerate(lesson.steps):
        for text in step.claims:
            if not claims.holds(text, lesson, lived.runs):
                raise InputError(
                    f"steps.{at}.claims: the runs do not show that {text}: {seen(text, lived)}; mend the text"
                )
        if isinstance(step, BetStep):
            held = [
                number for number, option in enumerate(step.options) if claims.holds(option.when, lesson, lived.runs)
            ]
            if len(held) != 1:
                found = "no option" if not held else f"{len(held)} options"
                figures = "; ".join(f"{option.when}: {seen(option.when, lived)}" for option in step.options)
                raise InputError(
                    f"steps.{at}.options: the runs show {found} of bet {step.name!r}; one must hold ({figures})"
                )
            right[step.name] = held[0]
    return right


def seen(text: str, lived: Lived) -> str:
    """What the runs show in place of a claim: the means, and the intervals of the differences."""
    return claims.shown(text, lived.lesson, lived.runs)
