"""Figures and claims in a lesson's texts: ``loss(buffer=20) < loss(buffer=3)``, read, and worked out from the runs.

A call names an outcome and where levers stand; what stands alone is a number. Figures may be added, subtracted,
multiplied and divided, run by run, so that a difference is a paired one. A claim compares two, and holds where the 95 %
interval of the mean difference (Student 1908) lies wholly on the side that is claimed.
"""

from __future__ import annotations

import ast
import operator
import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ecosim.lesson.spec import Lesson

    type Sample = NDArray[np.float64]

CONFIDENCE = 0.95
FIGURE = re.compile(r"\{([^{}]*)\}")
FORMAT = re.compile(r"(?P<what>.*?)(?::(?P<form>[+,]?\.?\d*[dfg%]))?", re.DOTALL)
ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "most": np.max,  # of all runs
    "least": np.min,
    "usual": np.median,  # half of the runs are above it
    "first": lambda sample: sample[0],  # the run that is watched
}


def figures(text: str) -> Iterator[str]:
    """What stands between braces in a text, without its format."""
    for found in FIGURE.finditer(text):
        yield split(found[1])[0]


def split(inside: str) -> tuple[str, str]:
    """What is asked for between braces, and how it is written ('' for the outcome's own way)."""
    found = FORMAT.fullmatch(inside)
    assert found is not None
    return found["what"].strip(), found["form"] or ""


def check(text: str, lesson: Lesson, *, compares: bool) -> None:
    """Raise ValueError where a figure, or a claim that ``compares``, cannot be worked out."""
    tree = _read(text)
    if compares and not isinstance(tree, ast.Compare):
        raise ValueError(f"{text!r} claims nothing; compare two figures, for example loss(buffer=20) < loss(buffer=3)")
    if not compares and isinstance(tree, ast.Compare):
        raise ValueError(f"{text!r} is a claim, not a figure; put it under claims")
    for node in ast.walk(tree):
        _know(node, text, lesson)
    names = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    if not names & set(lesson.outcomes):
        raise ValueError(f"{text!r} names no outcome; there are {', '.join(lesson.outcomes)}")


def _read(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(
            f"{text!r} cannot be read; write outcomes with settings of levers, for example loss(buffer=20)"
        ) from None


_PLAIN = (
    ast.Compare, ast.Lt, ast.Gt, ast.BinOp, *ARITHMETIC, ast.UnaryOp, ast.USub,
    ast.Load, ast.keyword, ast.Name,
)  # fmt: skip


def _know(node: ast.AST, text: str, lesson: Lesson) -> None:
    if isinstance(node, ast.Call):
        _know_call(node, text, lesson)
    elif isinstance(node, ast.Constant):
        if not isinstance(node.value, int | float | str):
            raise ValueError(f"{text!r}: {node.value!r} is neither a number nor a name of a value")
    elif not isinstance(node, _PLAIN):
        raise ValueError(f"{text!r}: only outcomes, numbers, + - * / and < > can stand there")


def _know_call(node: ast.Call, text: str, lesson: Lesson) -> None:
    from ecosim.errors import hint

    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name in FUNCTIONS:
        if len(node.args) != 1 or node.keywords:
            raise ValueError(f"{text!r}: {name} takes one figure")
        return
    if name not in lesson.outcomes:
        raise ValueError(f"{text!r}: there is no outcome {name!r}; {hint(name, [*lesson.outcomes, *FUNCTIONS])}")
    if node.args or any(word.arg is None for word in node.keywords):
        raise ValueError(f"{text!r}: name the lever, for example {name}({next(iter(lesson.levers))}=...)")
    for words in lesson.mistakes(_settings(node)):
        raise ValueError(f"{text!r}: {words}")


def _settings(node: ast.Call) -> dict[str, Any]:
    given = {}
    for word in node.keywords:
        try:
            given[str(word.arg)] = ast.literal_eval(word.value)
        except ValueError:
            given[str(word.arg)] = None
    return given


# --- worked out ------------------------------------------------------------------------------------------------------


def sample(text: str, lesson: Lesson, runs: Callable[[str, int], Sample]) -> Sample:
    """The figure in every run, shape (replicates,); ``runs(outcome, point)`` gives those of a setting."""
    found: Sample = np.atleast_1d(np.asarray(_worked_out(_read(text), lesson, runs), dtype=np.float64))
    return found


def _worked_out(node: ast.expr, lesson: Lesson, runs: Callable[[str, int], Sample]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp):
        return -_worked_out(node.operand, lesson, runs)
    if isinstance(node, ast.BinOp):
        left, right = (_worked_out(side, lesson, runs) for side in (node.left, node.right))
        return ARITHMETIC[type(node.op)](left, right)
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    if node.func.id in FUNCTIONS:
        return FUNCTIONS[node.func.id](_worked_out(node.args[0], lesson, runs))
    return runs(node.func.id, lesson.point(_settings(node)))


def holds(text: str, lesson: Lesson, runs: Callable[[str, int], Sample]) -> bool:
    """Whether the runs show a claim: for each pair that is compared, the interval of the difference is on its side."""
    return all(
        (low > 0 if isinstance(sign, ast.Lt) else high < 0) for sign, (low, high) in _differences(text, lesson, runs)
    )


def shown(text: str, lesson: Lesson, runs: Callable[[str, int], Sample]) -> str:
    """What the runs say about a claim, for who has to mend it."""
    return ", ".join(
        f"the right side is {low:+.4g} to {high:+.4g} from the left"
        for _, (low, high) in _differences(text, lesson, runs)
    )


def _differences(
    text: str, lesson: Lesson, runs: Callable[[str, int], Sample]
) -> list[tuple[ast.cmpop, tuple[float, float]]]:
    """For each sign of a claim: the interval of what stands right of it less what stands left."""
    tree = _read(text)
    assert isinstance(tree, ast.Compare)
    sides = [_worked_out(side, lesson, runs) for side in (tree.left, *tree.comparators)]
    return [
        (sign, interval(np.atleast_1d(np.asarray(right - left, dtype=np.float64))))
        for left, sign, right in zip(sides, tree.ops, sides[1:], strict=False)
    ]


def interval(sample: Sample, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Student's interval of the mean; both ends are the mean where all runs agree, or there is one run."""
    mean = float(sample.mean())
    if len(sample) < 2 or float(np.ptp(sample)) == 0.0:
        return mean, mean
    from scipy.stats import t

    half = float(t.ppf(0.5 + confidence / 2, len(sample) - 1) * sample.std(ddof=1) / np.sqrt(len(sample)))
    return mean - half, mean + half
