"""A form that was refused comes back as it was posted: filled in, errors beside fields, focus on one.

Done on the page that was rendered, for every form alike: a new one cannot forget it. Only where something
was wrong, so nobody else waits for it.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from lxml import html

from broadcaster.web.console.form import CSRF, Form

Fault = tuple[str, str]
"""The name of a field, and what is wrong with it in words."""

NEVER = frozenset({CSRF, "kept", "code", "password", "former", "pin", "sure"})
"""Secrets, and the tick that one is sure: it is for what one sees when one presses."""
_ITS_OWN = frozenset({"hidden", "password", "submit", "button", "file", "image", "reset"})
"""What a page fills in itself: a version as it is now, a mark that was not used yet."""


def refilled(page: str, path: str, form: Form, faults: Sequence[Fault] = ()) -> str:
    """The page with the form that posts to this path as it was posted; as it is where it has none such."""
    tree = html.document_fromstring(page)
    pressed = _form(tree, path, form)
    if pressed is None:
        return page
    _fill(pressed, form)
    for around in pressed.iterancestors("details"):
        around.set("open", "")
    for other in tree.iter("form"):
        if other is not pressed:
            _drop_errors(other)
    _point(tree, pressed, faults)
    return html.tostring(tree, encoding="unicode", doctype="<!doctype html>")


def _form(tree: Any, path: str, form: Form) -> Any:
    """Of those that post there, the one that has most of what was posted."""
    found = [each for each in tree.iter("form") if path in _targets(each)]
    return max(found, key=lambda each: _likeness(each, form), default=None)


def _targets(form: Any) -> set[str]:
    said = [form.get("action", ""), *(each.get("formaction", "") for each in form.iter("button"))]
    return {urlsplit(each).path for each in said if each}


def _likeness(form: Any, posted: Form) -> int:
    names = {each.get("name") for each in form.iter("input", "select", "textarea", "button")}
    same = [
        each
        for each in form.iter("input", "button")
        if each.get("type") != "checkbox" and each.get("value") in posted.all(each.get("name", ""))
    ]
    return len(names & set(posted.values)) * 2 - len(names ^ set(posted.values)) + len(same)


def _fill(form: Any, posted: Form) -> None:
    taken: dict[str, Iterator[str]] = {}
    for control in form.iter("input", "select", "textarea"):
        name, kind = control.get("name", ""), control.get("type", "text")
        if not name or name in NEVER or (control.tag == "input" and kind in _ITS_OWN):
            continue
        values = posted.all(name)
        if kind in {"checkbox", "radio"}:
            _mark(control, "checked", on=control.get("value", "on") in values)
        elif name in posted.values:
            # Of several fields of one name, each its own: a browser posts them in their order.
            value = next(taken.setdefault(name, iter(values)), None)
            if value is not None:
                _write(control, value)


def _write(control: Any, value: str) -> None:
    if control.tag == "select":
        options = list(control.iter("option"))
        if any(each.get("value", "") == value for each in options):
            for each in options:
                _mark(each, "selected", on=each.get("value", "") == value)
    elif control.tag == "textarea":
        control.text = "\n" + value  # A browser takes the first line end for the template's.
    else:
        control.set("value", value)


def _mark(control: Any, name: str, *, on: bool) -> None:
    if on:
        control.set(name, "")
    else:
        control.attrib.pop(name, None)


# --- errors -----------------------------------------------------------------------------------------


def _drop_errors(form: Any) -> None:
    """Another form's field of the same name is not what is wrong."""
    for each in [each for each in form.iter("span") if each.get("class") == "error"]:
        each.drop_tree()
    for each in form.iter("input", "select", "textarea"):
        each.attrib.pop("aria-invalid", None)


def _point(tree: Any, form: Any, faults: Sequence[Fault]) -> None:
    first = None
    for field, words in dict.fromkeys(faults):
        control = _control(form, field)
        if control is not None:
            _say(form, control, field, words)
            first = control if first is None else first
    if first is not None:
        for each in tree.iter():
            if isinstance(each.tag, str):
                each.attrib.pop("autofocus", None)
        first.set("autofocus", "")


def _control(form: Any, field: str) -> Any:
    """The field's: by its name, its id or, as `grant-account`, the last part of it; a pair's first."""
    seen = [each for each in form.iter("input", "select", "textarea") if each.get("type") != "hidden"]
    for wanted in (field, field.rpartition("-")[2]):
        for each in seen:
            if wanted in {each.get("name"), each.get("id")}:
                return each
    return next((each for each in seen if str(each.get("name")).startswith(f"{field}_")), None)


def _say(form: Any, control: Any, field: str, words: str) -> None:
    # A form's own words may stand on the page more than once under one name: what a field is described by
    # must be one of its own.
    told = next((each for each in form.iter("span") if each.get("id") == f"error-{field}"), None)
    if told is None:
        told = html.Element("span", {"class": "error", "id": f"error-{field}"})
        told.text = words
        place = _beside(control)
        place.addprevious(told)
    described = control.get("aria-describedby", "").split()
    if told.get("id") not in described:
        control.set("aria-describedby", " ".join([*described, told.get("id")]))
    control.set("aria-invalid", "true")


def _beside(control: Any) -> Any:
    """The field itself, or the label around it."""
    label = next(control.iterancestors("label"), None)
    return control if label is None else label
