"""Subjects of what is told ("lĩnh vực"), named in the reader's language."""

from collections.abc import Iterable
from dataclasses import dataclass

from broadcaster.cap.terms import EVENTS
from broadcaster.reference import Category
from broadcaster.web.i18n import Lang
from broadcaster.web.services import Services


@dataclass(frozen=True)
class Subject:
    """A category as a page says it."""

    code: str
    group: str
    name: str
    lang: Lang
    """Of the name: one that the operator added is Vietnamese only."""


def subject(services: Services, code: str, lang: Lang) -> Subject:
    """A category by its code, which is its name too where it is none of ours."""
    known = services.ports.office.categories.get(code)
    return _said(known, lang) if known else Subject(code, "", code, "vi")


def subjects(categories: Iterable[Category], lang: Lang) -> list[Subject]:
    """These, by name."""
    return sorted((_said(each, lang) for each in categories), key=lambda each: each.name)


def by_code(services: Services, lang: Lang) -> dict[str, Subject]:
    """Every one that there is."""
    return {code: _said(each, lang) for code, each in services.ports.office.categories.items()}


def _said(category: Category, lang: Lang) -> Subject:
    if lang == "en" and category.code in EVENTS:
        return Subject(category.code, category.group, EVENTS[category.code], "en")
    return Subject(category.code, category.group, category.name, "vi")
