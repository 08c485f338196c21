"""Who answers for a body that is no more. Pure: bodies come by a function that loads them."""

from collections.abc import Callable
from datetime import datetime

from broadcaster.issuer import Issuer
from broadcaster.rules import RefusedError, Rule

Load = Callable[[str], Issuer]


def answering(load: Load, issuer_id: str, at: datetime) -> tuple[Issuer, ...]:
    """The open bodies that answer for it at an instant: itself, while it is open.

    Then its successors, and theirs; where a closed body named none, the body above it.
    """
    found: dict[str, Issuer] = {}
    seen: set[str] = set()
    ahead = [issuer_id]
    while ahead:
        name = ahead.pop(0)
        if name in seen:
            continue
        seen.add(name)
        body = load(name)
        if not body.closed(at):
            found[name] = body
        else:
            ahead += body.successors or ((body.parent,) if body.parent else ())
    return tuple(found.values())


def inherited(load: Load, heir: Issuer, at: datetime) -> tuple[Issuer, ...]:
    """Every body it answers for at an instant, those that these had answered for among them."""
    found: dict[str, Issuer] = {}
    ahead = [heir]
    while ahead:
        for one in ahead.pop().succeeded:
            if one.since <= at and one.predecessor not in {heir.issuer_id, *found}:
                found[one.predecessor] = load(one.predecessor)
                ahead.append(found[one.predecessor])
    return tuple(found.values())


def closed(body: Issuer) -> RefusedError:
    """The refusal of what a body that is no more cannot do."""
    heirs = ", ".join(body.successors) or body.parent or "nobody"
    since = f" since {body.closed_at.isoformat()}" if body.closed_at else ""
    return RefusedError(Rule.CLOSED, f"{body.issuer_id} is closed{since}; {heirs} answers for it")
