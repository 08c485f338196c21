"""Reads a CSV of subscribers line by line: each one valid, or rejected with its rule. No database.

Each line stands alone: an open quote or a wrong byte spoils its own line and no other.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from broadcaster.registry.rows import Keys
from broadcaster.registry.rules import (
    InvalidSubscriberError,
    NewSubscriber,
    Places,
    broken_rule,
    places,
)
from schemas.areas import AreaTree

HEADER = ("token", "token_kind", "platform", "phone", "home", "areas", "locale", "opt_outs")
_LISTS = {"areas", "opt_outs"}
_LONGEST_HEADER = 1000  # of any other file, no more than this is read


class SubscriberFileError(ValueError):
    """The file is not one of subscribers."""


@dataclass(frozen=True, slots=True)
class Person:
    """A line that is valid."""

    new: NewSubscriber
    place: Places
    keys: Keys


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that is not, as it was, and the rule it broke."""

    cells: tuple[str, ...]
    reason: str


class Line(NamedTuple):
    """One line after the header. `end` is the offset in bytes of the next."""

    number: int
    end: int
    said: Person | Reject


class SubscriberFile:
    """One reading of a file. Remembers addresses: the second line that names one is rejected.

    Raises SubscriberFileError where the header is another.
    """

    def __init__(self, path: Path, tree: AreaTree) -> None:
        with path.open("rb") as file:
            self._header = file.readline(_LONGEST_HEADER)
        if self._header.removeprefix(b"\xef\xbb\xbf").strip() != ",".join(HEADER).encode():
            raise SubscriberFileError(f"the first line must be {','.join(HEADER)}")
        self._path = path
        # Most lines name a home and nothing more: the same few hundred answers again and again.
        self._places = lru_cache(maxsize=10_000)(partial(places, tree))
        self._lines_of: dict[bytes, int] = {}

    def __iter__(self) -> Iterator[Line]:
        """Every line after the header but blank ones."""
        end = len(self._header)
        with self._path.open("rb") as file:
            file.seek(end)
            for number, raw in enumerate(file, 2):
                end += len(raw)
                if raw.strip():
                    yield Line(number, end, self._read(number, raw))

    def _read(self, number: int, raw: bytes) -> Person | Reject:
        try:
            text = raw.decode().rstrip("\r\n")
            cells = next(csv.reader([text], strict=True)) if '"' in text else text.split(",")
        except UnicodeDecodeError:
            return _spoilt(raw.decode(errors="replace").rstrip("\r\n"), "is not UTF-8")
        except csv.Error as error:
            return _spoilt(raw.decode().rstrip("\r\n"), str(error))
        if len(cells) != len(HEADER):
            return _spoilt(text, f"has {len(cells)} columns, not {len(HEADER)}")
        try:
            person = self._person(cells)
            self._claim(number, person)
        except InvalidSubscriberError as error:
            return Reject(tuple(cells), str(error))
        return person

    def _person(self, cells: list[str]) -> Person:
        facts: dict[str, object] = {"home": ""}  # an empty home is no area: one rule less
        for name, cell in zip(HEADER, cells, strict=True):
            if value := cell.strip():
                facts[name] = [part.strip() for part in value.split(";")] if name in _LISTS else value
        try:
            new = NewSubscriber.model_validate(facts)
        except ValidationError as error:
            raise broken_rule(error) from None
        return Person(new, self._places(new.home, new.areas), Keys.of(new.token, new.phone))

    def _claim(self, number: int, person: Person) -> None:
        claimed = [key for key in person.keys if key is not None]
        for key in claimed:
            if key in self._lines_of:
                field = "token" if key == person.keys.push else "phone"
                raise InvalidSubscriberError(field, f"is already on line {self._lines_of[key]}")
        for key in claimed:
            self._lines_of[key] = number


def _spoilt(text: str, reason: str) -> Reject:
    return Reject((text, *[""] * (len(HEADER) - 1)), f"line: {reason}")
