"""Each place that appends names the ground of what it decided, or is listed here with why it needs none."""

import ast
from collections.abc import Iterator
from pathlib import Path

import broadcaster
import channels
import projections

OPERATOR = "the operator at the machine needs no right, and the stream's version says who was first"
FACT = "tells of what happened, and asks for no right"
CLOCK = "the clock or a process of ours brings it about, by no one's right"
OWN = "it changes what is its own, with the key or the session that it changes"

UNGROUNDED = {
    "broadcaster/commands/setup.py adopt_areas": OPERATOR,
    "broadcaster/commands/setup.py register_issuers": OPERATOR,
    "broadcaster/commands/setup.py grant": OPERATOR,
    "broadcaster/commands/setup.py subscribers_imported": OPERATOR,
    "broadcaster/commands/packaged_templates.py register": OPERATOR,
    "broadcaster/topics/route.py attempt": OPERATOR,
    "broadcaster/boundaries/store.py _do": OPERATOR,
    "broadcaster/cli/restored.py command": OPERATOR,
    "broadcaster/commands/setup.py attempt": FACT,  # a screen's report
    "broadcaster/office/__init__.py refusals": FACT,
    "broadcaster/proof/exports.py record": FACT,
    "broadcaster/proof/handing_out.py hand_out": FACT,
    "broadcaster/delivery/ledger.py write": FACT,
    "broadcaster/log/__init__.py append_where": FACT,
    "broadcaster/topics/book.py refused": FACT,
    "broadcaster/delivery/sms_desk.py note": FACT,
    "broadcaster/screens/watch.py _tell": FACT,
    "broadcaster/commands/access.py lapse": CLOCK,
    "broadcaster/keys/ends.py ended": CLOCK,
    "broadcaster/keys/ends.py made": OPERATOR,
    "broadcaster/delivery/canary_watch.py watch": CLOCK,
    "broadcaster/commands/due.py end": CLOCK,
    "broadcaster/duty/reminders.py _finish": CLOCK,
    "broadcaster/reorganisation/mover.py move_screens": CLOCK,
    "broadcaster/reorganisation/mover.py _save": CLOCK,
    "broadcaster/delivery/sms_desk.py _refusal": CLOCK,
    "projections/follower.py _apply": CLOCK,
    "broadcaster/screens/commands.py rotate_key": OWN,
    "broadcaster/accounts/noting.py note": OWN,
}


def _calls(tree: ast.AST, name: str = "") -> Iterator[tuple[str, ast.Call]]:
    """Every call, with the name of the function it is in."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call):
            yield name, node
        inner = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else name
        yield from _calls(node, inner)


def _is_append(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False
    keywords = {each.arg for each in call.keywords}
    name = call.func.attr.lstrip("_")
    return name in {"append_in", "append_where", "appending"} or (name == "append" and "at" in keywords)


def _has_ground(call: ast.Call) -> bool:
    return any("ground" in ast.unparse(each) for each in (*call.args, *call.keywords))


def test_what_names_no_ground_is_listed_with_its_reason() -> None:
    found: set[str] = set()
    grounded = 0
    for package in (broadcaster, projections, channels):
        root = Path(str(package.__file__)).parent
        for path in root.rglob("*.py"):
            for function, call in _calls(ast.parse(path.read_text())):
                if not _is_append(call):
                    continue
                if _has_ground(call):
                    grounded += 1
                else:
                    found.add(f"{path.relative_to(root.parent)} {function}")
    assert found == set(UNGROUNDED)
    assert grounded >= 20
