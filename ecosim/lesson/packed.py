"""The numbers of a lesson as its page carries them: written for the page, and read back from those that ship."""

from __future__ import annotations

import base64
import json
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecosim.errors import InputError, hint
from ecosim.lesson.lived import Lived, Town, Watched
from ecosim.lesson.reading import lessons, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecosim.lesson.spec import Lesson

TENTHS = 10  # courses are written in tenths of a per cent
SMALLEST, GROWS = 6.0, 9.0  # radius of a firm in the drawing: that of none, and what the largest has on top of it
CARRIED = re.compile(
    r'<script type="application/json" id="data">(?P<data>.*?)</script>\s*'
    r'<script type="text/plain" id="blob">(?P<blob>[^<]*)<',
    re.DOTALL,
)


def packed(lived: Lived) -> str:
    """The long arrays, one after the other, little-endian: figures, courses, watched courses, firms, struck.

    States of firms are written as changes from day to day (modulo 256), which compress better.
    """
    watched = [each for point in lived.watched for each in point]
    figures = np.stack(list(lived.figures.values()), axis=1)
    firms = np.stack([each.firms for each in watched])
    changes = np.diff(firms, axis=1, prepend=np.zeros_like(firms[:, :1]))
    parts = (
        figures.astype("<f4"),
        np.rint(TENTHS * lived.course).astype("<i2"),
        np.rint(TENTHS * np.stack([each.course for each in watched])).astype("<i2"),
        changes.transpose(0, 2, 1).astype("u1"),
        np.stack([each.struck for each in watched]).astype("u1"),
    )
    blob = b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
    return base64.b64encode(zlib.compress(blob, 9)).decode("ascii")


def radii(town: Town) -> list[float]:
    """Radius of each firm in the drawing, (firms,): areas go by output."""
    return [float(each) for each in (SMALLEST + GROWS * np.sqrt(town.size / town.size.max())).round(1)]


# --- read back -------------------------------------------------------------------------------------------------------


def page_of(name: str) -> Path:
    """The page of a lesson that comes with ecosim.

    Raises InputError where no lesson has that name, or its page did not come along.
    """
    if name not in lessons():
        raise InputError(f"{name}: no lesson of that name comes with ecosim; {hint(name, lessons())}")
    here = Path(__file__).parents[1]
    # Inside the wheel they lie in the package; in a checkout beside it.
    for folder in (here / "docs", here.parent / "docs"):
        path = folder / "lessons" / f"{name}.html"
        if path.is_file():
            return path
    raise InputError(f"{name}: the page of this lesson did not come along; make it with: ecosim lesson {name}")


def shipped(name: str) -> Lived:
    """What became of a lesson that comes with ecosim, read from its page: nothing is lived.

    Figures have the seven digits of the page, courses are rounded to 0.1 %, and the size of a firm is a share of the
    largest firm's. Raises InputError where the page did not come along, or was made from another lesson than the file
    holds today.
    """
    path, lesson = page_of(name), load(lessons()[name])
    return unpacked(path.read_text(encoding="utf-8"), lesson, path)


def unpacked(page: str, lesson: Lesson, path: Path) -> Lived:
    """The numbers in the text of a lesson's page; ``path`` is what errors call it."""
    carried = CARRIED.search(page)
    if carried is None:
        raise InputError(f"{path}: no page of a lesson")
    data: dict[str, Any] = json.loads(carried["data"])
    if data.get("lesson") != lesson.digest():
        raise InputError(
            f"{path}: made from another lesson than {lesson.title!r} is now; make it anew with "
            f"ecosim lesson {path.stem} --out {path} --force"
        )
    take = _Taker(zlib.decompress(base64.b64decode(carried["blob"])))
    points, shown, days, many = lesson.points, lesson.shown, int(data["days"]), len(data["towns"][0]["names"])
    figures = take("<f4", points, len(lesson.outcomes), lesson.replicates).astype(np.float64)
    course = take("<i2", points, 3, days) / TENTHS
    courses = take("<i2", points, shown, days) / TENTHS
    firms = np.cumsum(take("u1", points, shown, many, days), axis=3, dtype=np.uint8).swapaxes(2, 3)
    struck = take("u1", points, shown, many).astype(np.bool_)
    towns = [_town(each) for each in data["towns"]]

    def run(point: int, at: int) -> Watched:
        events = tuple((int(day), str(words)) for day, words in data["events"][point][at])
        town = towns[data["townOf"][point][at]]
        return Watched(town, courses[point, at], firms[point, at], struck[point, at], events)

    return Lived(
        lesson,
        {name: figures[:, at] for at, name in enumerate(lesson.outcomes)},
        course,
        tuple(tuple(run(point, at) for at in range(shown)) for point in range(points)),
    )


class _Taker:
    """Takes one array after the other from bytes."""

    def __init__(self, blob: bytes) -> None:
        self.blob, self.at = blob, 0

    def __call__(self, kind: str, *shape: int) -> NDArray[Any]:
        count = int(np.prod(shape))
        found = np.frombuffer(self.blob, kind, count, self.at).reshape(shape)
        self.at += found.nbytes
        return found


def _town(data: dict[str, Any]) -> Town:
    links = np.array(data["links"], dtype=np.int64).reshape(-1, 2)
    size = ((np.array(data["size"]) - SMALLEST) / GROWS) ** 2
    at = np.array(data["places"]).reshape(-1, 2)
    return Town(tuple(data["names"]), size, links[:, 0], links[:, 1], at)
