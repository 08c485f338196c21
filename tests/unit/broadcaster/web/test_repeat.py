"""What may be taken for the poll that was answered before, and what must be read."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broadcaster.web.edge.deadlines import NEVER, STEP, Deadlines
from broadcaster.web.edge.repeat import Repeat, is_kept
from broadcaster.web.edge.stamp import Stamp
from broadcaster.web.edge.turn import Turn
from broadcaster.web.feeds.known_screens import KnownScreen
from broadcaster.web.feeds.polls import ServedCount, asked
from broadcaster.web.feeds.served import form

AT = datetime(2024, 7, 10, 2, 0, tzinfo=UTC)
SCREEN = KnownScreen(uuid4(), b"v" * 32, ("00001", "m96x32-1", False))
FORM = form('"a"', b"{}", "application/json", lambda _: "s")


def head(state: bytes, *more: bytes, name: bytes = b"X-Screen-State: ") -> bytes:
    lines = (b"GET /v1/screens/me/feed HTTP/1.1", b"Host: x", name + state, *more, b'If-None-Match: "a"')
    return b"\r\n".join(lines) + b"\r\n\r\n"


def kept(data: bytes, state: bytes) -> Repeat:
    turn = Turn(SCREEN, "k", "", FORM, b'"a"', state, 0)
    return Repeat(data, turn, ServedCount(), b"\r\n")


class Heads:
    """What the parser of both servers finds."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.whole = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_message_complete(self) -> None:
        self.whole += 1


def parsed(data: bytes) -> Heads | None:
    """The request alone in these bytes; None where they are none, or more."""
    heads = Heads()
    try:
        httptools.HttpRequestParser(heads).feed_data(data)
    except httptools.HttpParserError:
        return None
    return heads if heads.whole == 1 else None


_PIECES = st.sampled_from(
    [b"up=1", b";", b" ", b"\t", b"\r\n", b"\n", b"\r", b"\x00", b"X-Screen-State: a", b"Prefer: wait=9",
     b"\r\n\r\n", b"Content-Length: 3", b"\xe1", b'If-None-Match: "b"']
)  # fmt: skip


@given(other=st.lists(st.one_of(_PIECES, st.binary(max_size=5)), max_size=6).map(b"".join))
@example(other=b"up=2")
@example(other=b"x" * 201)
@example(other=b"up=2\r\nPrefer: wait=9")
def test_only_another_state_is_the_same_poll(other: bytes) -> None:
    before = kept(head(b"up=1"), b"up=1")
    data = head(other)
    was = parsed(head(b"up=1"))
    if before.takes(data):
        now = parsed(data)
        assert was is not None
        assert now is not None
        assert asked(now.headers) == asked(was.headers)._replace(state=before.turn.state)
        assert len(now.headers) == len(was.headers)
        assert before.turn.state == other
        assert before.takes(data)
    else:
        assert before.turn.state == b"up=1"


def test_states_are_taken_over_one_after_the_other() -> None:
    repeat = kept(head(b"up=1"), b"up=1")
    for state in (b"up=2", b"seq=9;show=al/3;up=10", b"u"):
        assert repeat.takes(head(state))
        assert repeat.turn.state == state
    for other in (head(b""), head(b"up=3", b"Prefer: wait=9"), head(b"up=3")[:-1], head(b"up=3") * 2, b""):
        assert not repeat.takes(other)
    assert repeat.turn.state == b"u"


@pytest.mark.parametrize(
    "data",
    [
        head(b"a", b"X-Screen-State: a"),
        head(b" a"),
        head(b"a "),
        head(b"a\r\n b"),
        head(b"a").replace(b"X-Screen-State", b"X-Screen-Stat"),
    ],
    ids=["two", "padded", "trailing", "folded", "none"],
)
def test_where_the_state_is_not_plain_only_the_same_bytes_are_the_same(data: bytes) -> None:
    repeat = kept(data, b"a")
    assert repeat.takes(data)
    assert not repeat.takes(data.replace(b" a", b" b"))


def test_a_long_poll_is_not_remembered() -> None:
    turn = kept(b"", b"a").turn
    assert is_kept(head(b"a"), turn)
    assert not is_kept(head(b"a", b"X: " + b"x" * 2_048), turn)
    turn.state = b"x" * 201
    assert not is_kept(head(b"a"), turn)


def test_an_instant_is_read_once_a_millisecond() -> None:
    now, ticks = [AT], [1.0]
    stamp = Stamp(lambda: now[0], lambda: ticks[0])
    first = stamp.told()
    assert first[0] == AT
    assert first[1] == b"date: Wed, 10 Jul 2024 02:00:00 GMT\r\nx-server-time: 1720576800000\r\n"
    now[0] += timedelta(seconds=1, milliseconds=5)
    assert stamp.told() == first
    ticks[0] += 0.0011
    assert stamp.at == now[0]
    assert stamp.told()[1] == b"date: Wed, 10 Jul 2024 02:00:01 GMT\r\nx-server-time: 1720576801005\r\n"
    assert stamp.date in stamp.told()[1]


class One:
    """Something with a deadline."""

    def __init__(self, deadline: float) -> None:
        self.deadline, self.slot = deadline, NEVER

    def expired(self) -> None:
        """Nothing."""


@given(
    moves=st.lists(st.tuples(st.integers(0, 3), st.floats(0, 30), st.booleans()), min_size=1, max_size=40)
)
def test_nobody_is_late_by_more_than_a_step_and_nobody_early(
    moves: list[tuple[int, float, bool]],
) -> None:
    deadlines, ones, now = Deadlines(), [One(10.0) for _ in range(4)], 0.0
    for one in ones:
        deadlines.watch(one)
    alive = set(ones)
    for number, ahead, off in moves:
        one = ones[number]
        if one in alive:
            nearer = now + ahead < one.deadline
            one.deadline = now + ahead
            if nearer:
                deadlines.watch(one)
            if off:
                deadlines.forget(one)
                alive.discard(one)
        now += STEP
        late = set(deadlines.due(now))
        assert late <= alive
        assert all(one.deadline <= now for one in late)
        alive -= late
        assert all(one.deadline > now - STEP for one in alive)
