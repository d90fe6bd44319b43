"""Folders and files that appear whole or not at all, and that never take the place of what is not theirs."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from itertools import count, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from ecosim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import TracebackType
    from typing import Self

LONGEST = 80  # characters of a name that is made from a text
LONGEST_BYTES = 200  # file systems allow 255, and a number or a suffix may follow
TAKEN = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR})
#: What is half written now, for a program that must end without unwinding.
UNFINISHED: list[NewFolder | NewFile] = []


def clean_up() -> None:
    """Remove everything that is half written."""
    for each in UNFINISHED[::-1]:
        each.clean()


def safe_name(text: str) -> str:
    """Name for a folder made from any text: letters, digits, ``-``, ``_`` and ``.``, not hidden and never empty."""
    kept = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in text)
    kept = kept.lstrip("._-")[:LONGEST]
    return kept.encode()[:LONGEST_BYTES].decode(errors="ignore").rstrip("._") or "run"


def resolved(path: str | Path, otherwise: str) -> Path:
    """Absolute path of a name that may be written to: no link, no name that no file can have."""
    try:
        if "\0" in os.fspath(path):
            raise InputError(f"{str(path)!r}: holds a NUL character; {otherwise}")
        os.fsencode(path)
        target = Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow the link that is refused
        if target.is_symlink():
            raise InputError(f"{path}: a link stands there; {otherwise}")
    except UnicodeEncodeError:
        raise InputError(f"{str(path)!r}: no file can be called so; {otherwise}") from None
    except OSError as error:
        raise unwritable(path, error, otherwise) from None
    return target


def unwritable(path: str | Path, error: OSError, otherwise: str) -> InputError:
    """Return the error to raise where the system refuses to write."""
    return InputError(f"{path}: cannot be written ({error.strerror or error}); {otherwise}")


def take(half: Path, target: Path) -> bool:
    """Give a file its name only if that is free: a link fails where a file stands, and a rename would replace it."""
    try:
        target.hardlink_to(half)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        if os.path.lexists(target):
            return False
        half.rename(target)
    return True


class NewFolder:
    """A folder to be: as a context it makes a hidden folder ``half`` beside ``shown``, and removes it if left early.

    ``files`` are the names it will hold, beside those of ``optional`` that it may. Only with ``force`` may it replace a
    folder, which must hold such names and no others; ``numbered`` takes NAME-2, NAME-3, ... where NAME is taken. Raises
    InputError for whatever the system refuses.
    """

    def __init__(
        self,
        folder: str | Path,
        files: Collection[str],
        *,
        optional: Collection[str] = (),
        force: bool = False,
        numbered: bool = False,
        otherwise: str = "choose another folder",
    ) -> None:
        """Check what can be checked before anything is made."""
        self.shown, self.files, self.force, self.otherwise = Path(folder), frozenset(files), force, otherwise
        self.numbered, self.known = numbered and not force, self.files.union(optional)
        self.target = resolved(folder, otherwise)
        self.half = self._beside("")
        self.aside: list[Path] = []
        self.parents: list[Path] = []
        if not self.numbered:
            with self.told():
                self._refuse()

    def _beside(self, what: str) -> Path:
        return self.target.with_name(f".{safe_name(self.target.name)[:40]}-{what}{secrets.token_hex(6)}")

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn what the system refuses into an InputError that names the folder."""
        try:
            yield
        except OSError as error:
            raise unwritable(self.shown, error, self.otherwise) from None

    def _refuse(self) -> None:
        """Raise InputError where something stands that this folder may not replace."""
        while os.path.lexists(self.target):
            with suppress(FileNotFoundError):
                seen = self.target.lstat()
                try:
                    return self._refuse_standing()
                except (InputError, FileNotFoundError):
                    # What another run moves away while it is read here looks incomplete, and says nothing.
                    if os.path.samestat(seen, self.target.lstat()):
                        raise

    def _refuse_standing(self) -> None:
        if self.target.is_symlink():
            raise InputError(f"{self.shown}: a link stands there; {self.otherwise}")
        if not self.target.is_dir():
            raise InputError(f"{self.shown}: a file stands there; {self.otherwise}")
        held = sorted(path.name for path in self.target.iterdir())
        if held and not self.force:
            raise InputError(f"{self.shown}: exists already; {self.otherwise}, or overwrite it with --force")
        if held and not all((self.target / name).is_file() for name in self.files):
            raise InputError(f"{self.shown}: not the folder of a run, so --force will not replace it; {self.otherwise}")
        self._refuse_foreign(self.target)
        if self.target.samefile(Path.cwd()):
            raise InputError(f"{self.shown}: you are in this folder, so it cannot be replaced; {self.otherwise}")

    def _refuse_foreign(self, folder: Path) -> None:
        foreign = sorted({path.name for path in folder.iterdir()} - self.known)
        if foreign:
            more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
            many = "them" if len(foreign) > 1 else "it"
            raise InputError(
                f"{self.shown}: holds {', '.join(foreign[:3])}{more}, which no run wrote; move {many} away"
            )

    def __enter__(self) -> Self:
        """Make the hidden folder, and the folders above it that are missing."""
        UNFINISHED.append(self)
        try:
            with self.told():
                self._make()
        except BaseException:
            self.clean()
            raise
        return self

    def _make(self) -> None:
        for attempt in count():
            missing = [path for path in self.target.parents if not path.exists()]
            for path in reversed(missing):
                self.parents.append(path)
                try:
                    path.mkdir()
                except FileExistsError:
                    self.parents.remove(path)
            try:
                self.half.mkdir(mode=0o755)
            except FileNotFoundError:
                if attempt < 5:  # another run that failed took its empty folder away just now
                    continue
                raise
            # A name that is too long shows only now, and not after the run.
            with suppress(FileNotFoundError):
                self.target.lstat()
            return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what is not finished."""
        self.clean()

    def free(self) -> Iterator[tuple[Path, Path]]:
        """Names that may be taken, as shown and in full: one, or NAME, NAME-2, NAME-3, ... where they are numbered."""
        yield self.shown, self.target
        for number in count(2) if self.numbered else ():
            yield (
                self.shown.with_name(f"{self.shown.name}-{number}"),
                self.target.with_name(f"{self.target.name}-{number}"),
            )

    def publish(self) -> Path:
        """Give the hidden folder its name, which it returns as the user would write it."""
        with self.told():
            if self.force:
                self._swap()
                return self.shown
            for shown, target in self.free():
                try:
                    os.rename(self.half, target)  # noqa: PTH104 - fails where a file or a folder that is not empty stands
                except OSError as error:
                    if error.errno not in TAKEN or not os.path.lexists(target):
                        raise
                else:
                    self.parents.clear()
                    return shown
        raise InputError(f"{self.shown}: exists already; {self.otherwise}, or overwrite it with --force")

    def _swap(self) -> None:
        """Take the place of a folder of the same files, which goes only when this one stands."""
        while True:
            self._refuse()
            if self.target.exists():
                self.aside.append(self._beside("old-"))
                with suppress(FileNotFoundError):
                    self.target.rename(self.aside[-1])
                    self._refuse_foreign(self.aside[-1])
            try:
                self.half.rename(self.target)
            except OSError as error:
                if error.errno not in TAKEN:
                    raise
                continue  # another run was quicker; it is replaced like the first
            self.parents.clear()
            return

    def keep(self, suffix: str, *files: tuple[str, str]) -> Path:
        """Put files of the hidden folder beside the place of this one, under names that are free.

        Each is given by its name and its ending; the names have the place, ``suffix`` and any number in common.
        Returns the first.
        """
        with self.told():
            for number, (shown, target) in enumerate(
                self.free() if self.numbered else repeat((self.shown, self.target))
            ):
                if self.numbered and os.path.lexists(target):
                    continue
                ends = [suffix + ("" if self.numbered or not number else f"-{number + 1}") + end for _, end in files]
                places = [target.with_name(target.name + end) for end in ends]
                if any(os.path.lexists(place) for place in places) or not take(self.half / files[0][0], places[0]):
                    continue
                for (name, _), place in zip(files[1:], places[1:], strict=True):
                    (self.half / name).rename(place)  # whoever has the first name has them all
                self.parents.clear()
                return shown.with_name(shown.name + ends[0])
        raise AssertionError("names never end")

    def clean(self) -> None:
        """Remove the hidden folder if it is still there, put back what was moved aside for it, and empty parents."""
        shutil.rmtree(self.half, ignore_errors=True)
        for old in reversed(self.aside):
            if old.exists() and not os.path.lexists(self.target):
                with suppress(OSError):
                    old.rename(self.target)
            with suppress(OSError):  # by name: what anybody else put there stays
                for name in self.known:
                    (old / name).unlink(missing_ok=True)
                old.rmdir()
        for path in reversed(self.parents):
            with suppress(OSError):
                path.rmdir()
        if self in UNFINISHED:
            UNFINISHED.remove(self)


class NewFile:
    """A file to be: as a context it gives the path of a hidden file beside ``path``, which takes its name at the end.

    Without ``replace`` an existing file is refused.
    """

    def __init__(self, path: str | Path, *, replace: bool, otherwise: str = "choose another file") -> None:
        """Check what can be checked before anything is made."""
        self.shown, self.replace, self.otherwise = path, replace, otherwise
        self.target = resolved(path, otherwise)
        self.half = self.target.with_name(f".{safe_name(self.target.name)[:40]}-{secrets.token_hex(6)}")
        self._refuse()

    def _refuse(self) -> None:
        if self.target.is_dir():
            raise InputError(f"{self.shown}: a folder stands there; {self.otherwise}")
        if os.path.lexists(self.target) and not self.replace:
            raise InputError(f"{self.shown}: exists already; {self.otherwise}, or overwrite it with --force")
        if self.target.exists() and not self.target.is_file():
            raise InputError(f"{self.shown}: not a plain file; {self.otherwise}")

    def __enter__(self) -> Path:
        """Reserve the name, where nothing may be replaced, and give the path to write to."""
        UNFINISHED.append(self)
        return self.half

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the file its name if it is whole, and remove it otherwise."""
        try:
            if kind is None:
                if self.replace:
                    self.half.replace(self.target)
                else:
                    self._link()
        except OSError as refused:
            raise unwritable(self.shown, refused, self.otherwise) from None
        finally:
            self.clean()
        if isinstance(error, OSError):
            raise unwritable(self.shown, error, self.otherwise) from None

    def _link(self) -> None:
        if not take(self.half, self.target):
            self._refuse()

    def clean(self) -> None:
        """Remove the hidden file if it is still there."""
        with suppress(OSError):
            self.half.unlink(missing_ok=True)
        if self in UNFINISHED:
            UNFINISHED.remove(self)
