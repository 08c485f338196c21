"""How a page tells, while it is made, how long it holds; and what caches beyond us are told."""

from datetime import datetime

from starlette.requests import Request

_ENDS = "broadcaster.ends"


def ends_at(request: Request, instant: datetime) -> None:
    """Notes that what is answered is another thing from then on, by the clock."""
    request.scope[_ENDS] = instant


def end_of(scope: dict[str, object]) -> datetime | None:
    """What the page noted; None where it noted nothing."""
    found = scope.get(_ENDS)
    return found if isinstance(found, datetime) else None


def while_it_may_change(left: float = 1.0) -> str:
    """Cache-Control of what may be withdrawn at any moment; `left` are the seconds until it ends anyhow.

    A reader's own cache asks each time, and is told 304: half an hour in a drawer must not show as in force
    what was withdrawn. A cache for many (a CDN, a proxy) may answer for one second, which takes all of a
    city's load off us. Nothing stale is ever shown: `stale-while-revalidate` would give the first who asks
    after a quiet hour the page of an hour ago, and `must-revalidate` forbids it on errors too.
    """
    shared = "s-maxage=1, " if left >= 1 else ""
    return f"public, max-age=0, {shared}must-revalidate"


def once_it_is_over(seconds: int = 60) -> str:
    """Cache-Control of what ended and cannot come back: only names in it, and its style, may change."""
    return f"public, max-age={seconds}"
