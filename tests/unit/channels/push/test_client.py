"""The gateway against the double: every trouble ends in one result for each recipient."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.gateway import PayloadFaultError, Recipient, Result
from channels.push import PushGateway, PushSettings, tokens
from channels.push.sandbox import Behaviour, PushSandbox
from channels.push.sandbox.behaviour import FAULTS
from schemas.dispatch import Outcome
from tests.contract.gateways import AT, message
from tests.waiting import until

Sent = list[Result]
T = TypeVar("T")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushSandbox]:
    with PushSandbox(tmp_path_factory.mktemp("fcm")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(house: PushSandbox) -> Iterator[PushSandbox]:
    """Well-behaved at first."""
    house.behave()
    yield house
    house.behave()


def phones(number: int, prefix: str = "phone-", locale: str = "vi", kind: str = "token") -> list[Recipient]:
    return [Recipient(n, n, f"{prefix}{n:030d}", kind, "android", locale) for n in range(number)]


def settings_of(sandbox: PushSandbox, **changes: Any) -> PushSettings:
    return replace(PushSettings(sandbox.url, sandbox.credentials_file, sandbox.ca_file), **changes)


def use(
    sandbox: PushSandbox, scenario: Callable[[PushGateway], Coroutine[Any, Any, T]], **changes: Any
) -> T:
    """What the scenario makes of a gateway to the sandbox."""

    async def play() -> T:
        async with PushGateway(settings_of(sandbox, **changes), lambda: AT) as gateway:
            return await scenario(gateway)

    return asyncio.run(play())


class Line:
    """One open gateway for the tests that need no other, as to open one takes 0.2 s.

    Tests that take away its access token come after them.
    """

    def __init__(self, gateway: PushGateway, runner: asyncio.Runner) -> None:
        self._gateway, self._runner = gateway, runner

    def send(self, people: Sequence[Recipient]) -> Sent:
        return self.play(lambda gateway: gateway.send(message(), people))

    def play(self, scenario: Callable[[PushGateway], Coroutine[Any, Any, T]]) -> T:
        return self._runner.run(scenario(self._gateway))


@pytest.fixture(scope="module")
def line(house: PushSandbox) -> Iterator[Line]:
    with asyncio.Runner() as runner:
        gateway = PushGateway(settings_of(house), lambda: AT)
        runner.run(gateway.__aenter__())
        yield Line(gateway, runner)
        runner.run(gateway.__aexit__())


def summed(results: Sequence[Result]) -> Counter[tuple[Outcome, str, bool]]:
    return Counter((result.outcome, result.reason, result.ambiguous) for result in results)


@pytest.mark.parametrize("name", sorted(FAULTS.keys() - {"INVALID_ARGUMENT", "UNAUTHENTICATED"}))
def test_each_error_of_fcm(sandbox: PushSandbox, line: Line, name: str) -> None:
    sandbox.behave(Behaviour(errors={name: 1.0}, retry_after="2"))
    (result,) = line.send(phones(1))
    if name in ("UNREGISTERED", "SENDER_ID_MISMATCH"):
        assert result == Result(0, Outcome.GONE, name)
    else:
        assert result == Result(0, Outcome.DEFERRED, name, 2.0)


@pytest.mark.parametrize("prefix", ["bad-", "malformed-"])
@pytest.mark.parametrize("kind", ["token", "fid"])
def test_an_address_that_is_none(line: Line, prefix: str, kind: str) -> None:
    results = line.send(phones(2, prefix, kind=kind))
    assert summed(results) == {(Outcome.GONE, "INVALID_ARGUMENT", False): 2}


def test_content_refused_by_all(sandbox: PushSandbox, line: Line) -> None:
    sandbox.behave(Behaviour(errors={"INVALID_ARGUMENT": 1.0}))
    with pytest.raises(PayloadFaultError, match="INVALID_ARGUMENT"):
        line.send(phones(20))


def test_content_refused_for_some_is_theirs_alone(sandbox: PushSandbox, line: Line) -> None:
    sandbox.behave(Behaviour(errors={"INVALID_ARGUMENT": 0.3}, seed=1))
    sums = summed(line.send(phones(50)))
    assert sums.keys() == {(Outcome.ACCEPTED, "", False), (Outcome.REFUSED, "INVALID_ARGUMENT", False)}


def test_content_is_judged_by_language(sandbox: PushSandbox, line: Line) -> None:
    sandbox.behave(Behaviour(errors={"INVALID_ARGUMENT": 0.5}, seed=1))
    people = [*phones(50), Recipient(900, 900, "phone-en", "token", "ios", "en")]
    for _ in range(20):
        try:
            results = line.send(people)
        except PayloadFaultError:
            return
        assert {result.rank: result.outcome for result in results}[900] is not Outcome.REFUSED
    pytest.fail("the one English reader was never refused")


def test_kind_of_address(line: Line) -> None:
    people = [
        Recipient(n, n, "x-1", kind, "ios", "vi") for n, kind in enumerate(("token", "fid", "msisdn"))
    ]
    results = sorted(line.send(people))
    assert [result.outcome for result in results] == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.REFUSED]
    assert results[2].reason == "ADDRESS_KIND"


def test_language_of_each(sandbox: PushSandbox, line: Line) -> None:
    people = [
        Recipient(n, n, f"x-{n}", "token", "ios", locale) for n, locale in enumerate(("vi", "en", "fr"))
    ]
    line.send(people)
    titles = {entry["suffix"]: entry["message"]["notification"]["title"] for entry in sandbox.messages(3)}
    assert titles["x-1"] == "Deep flooding in Phuc Xa"
    assert titles["x-0"] == titles["x-2"] == "Ngập sâu tại Phúc Xá"


def test_all_streams_of_all_connections(sandbox: PushSandbox, line: Line) -> None:
    sandbox.behave(Behaviour(latency_ms=200))
    before = sandbox.count().received

    async def scenario(gateway: PushGateway) -> tuple[float, list[Sent]]:
        started = monotonic()
        orders = (gateway.send(message(), phones(400)) for _ in range(2))
        results = await asyncio.gather(*orders)
        return monotonic() - started, list(results)

    took, (one, two) = line.play(scenario)
    assert summed([*one, *two]) == {(Outcome.ACCEPTED, "", False): 800}
    assert took >= 0.2
    assert took < 80, "one after the other is 160 s"
    assert sandbox.count().received - before == 800
    assert len({entry["connection"] for entry in sandbox.messages(800)}) >= 4


def test_rate(sandbox: PushSandbox) -> None:
    started = monotonic()

    async def scenario(gateway: PushGateway) -> Sent:
        return [*await gateway.send(message(), phones(100)), *await gateway.send(message(), phones(10))]

    results = use(sandbox, scenario, rate=200.0)
    assert summed(results) == {(Outcome.ACCEPTED, "", False): 110}
    assert monotonic() - started >= 0.4


def test_silence_is_doubt(sandbox: PushSandbox) -> None:
    async def scenario(gateway: PushGateway) -> Sent:
        # A token and a connection take as long as they take: what is short is the patience for answers.
        assert summed(await gateway.send(message(), phones(1))) == {(Outcome.ACCEPTED, "", False): 1}
        for line in gateway._lines._lines:  # pyright: ignore[reportPrivateUsage]
            line._timeout = 0.5  # pyright: ignore[reportPrivateUsage]
        sandbox.behave(Behaviour(silent=1.0))
        return await gateway.send(message(), phones(30))

    before = sandbox.count().received
    assert summed(use(sandbox, scenario)) == {(Outcome.DEFERRED, "DEADLINE_EXCEEDED", True): 30}
    until(lambda: sandbox.count().received - before == 31)


def test_a_cut_line_is_doubt(sandbox: PushSandbox, line: Line) -> None:
    sandbox.behave(Behaviour(reset=1.0))
    assert summed(line.send(phones(1))) == {(Outcome.DEFERRED, "CONNECTION_LOST", True): 1}


def test_no_door_is_no_doubt(sandbox: PushSandbox) -> None:
    async def send_three(gateway: PushGateway) -> Sent:
        await gateway._tokens.ready()  # pyright: ignore[reportPrivateUsage]
        gateway._lines._timeout = 1.0  # pyright: ignore[reportPrivateUsage]
        return await gateway.send(message(), phones(3))

    with socket.socket() as unheard, socket.socket() as guest:
        # The first has its one place taken by the second: a further connection is never made.
        unheard.bind(("127.0.0.1", 0))
        unheard.listen(0)
        guest.connect(unheard.getsockname())
        for url in ("https://127.0.0.1:1", f"https://127.0.0.1:{unheard.getsockname()[1]}"):
            results = use(sandbox, send_three, base_url=url)
            assert summed(results) == {(Outcome.DEFERRED, "CONNECTION_FAILED", False): 3}


def test_an_answer_nobody_understands(sandbox: PushSandbox, line: Line) -> None:
    sandbox.behave(Behaviour(bad_body=1.0))
    assert summed(line.send(phones(5))) == {(Outcome.DEFERRED, "BAD_REPLY", True): 5}


def test_token_endpoint_down(sandbox: PushSandbox) -> None:
    async def scenario(gateway: PushGateway) -> tuple[Sent, Sent]:
        sandbox.behave(Behaviour(token_endpoint_down=True))
        down = await gateway.send(message(), phones(10))
        sandbox.behave()
        return down, await gateway.send(message(), phones(10))

    down, up = use(sandbox, scenario)
    assert summed(down) == {(Outcome.DEFERRED, "TOKEN_UNAVAILABLE", False): 10}
    assert summed(up) == {(Outcome.ACCEPTED, "", False): 10}


def test_tokens_revoked_are_renewed_once(sandbox: PushSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    # As if the token had served a while: one refused when new is not renewed again.
    monkeypatch.setattr(tokens, "RENEWAL_GAP", 0.0)

    async def scenario(gateway: PushGateway) -> Sent:
        await gateway.send(message(), phones(10))
        sandbox.behave(Behaviour(revoke_tokens=True, latency_ms=20))
        return await gateway.send(message(), phones(400))

    before = sandbox.tokens_granted()
    assert summed(use(sandbox, scenario)) == {(Outcome.ACCEPTED, "", False): 400}
    assert sandbox.tokens_granted() - before == 2


def test_refused_tokens_make_no_storm(sandbox: PushSandbox) -> None:
    sandbox.behave(Behaviour(errors={"UNAUTHENTICATED": 1.0}))
    before = sandbox.tokens_granted()
    results = use(sandbox, lambda gateway: gateway.send(message(), phones(200)))
    assert summed(results) == {(Outcome.DEFERRED, "UNAUTHENTICATED", False): 200}
    assert sandbox.tokens_granted() - before == 1


def test_a_token_is_renewed_before_it_ends(sandbox: PushSandbox) -> None:
    # Less than the 225 s google-auth wants to spare.
    sandbox.behave(Behaviour(token_lifetime=200))
    before = sandbox.tokens_granted()

    async def scenario(gateway: PushGateway) -> tuple[Sent, Sent]:
        first = await gateway.send(message(), phones(3))
        second = await gateway.send(message(), phones(3))
        await asyncio.to_thread(until, lambda: sandbox.tokens_granted() - before == 2)
        return first, second

    first, second = use(sandbox, scenario)
    assert summed([*first, *second]) == {(Outcome.ACCEPTED, "", False): 6}


def test_a_spent_quota_stops_the_rest(sandbox: PushSandbox) -> None:
    sandbox.behave(Behaviour(errors={"QUOTA_EXCEEDED": 1.0}, retry_after="30"))

    async def scenario(gateway: PushGateway) -> tuple[Sent, Sent]:
        first = await gateway.send(message(), phones(500))
        sandbox.behave()
        return first, await gateway.send(message(), phones(50))

    before = sandbox.count()
    first, second = use(sandbox, scenario, connections=1)
    after = sandbox.count()
    assert summed([*first, *second]) == {(Outcome.DEFERRED, "QUOTA_EXCEEDED", False): 550}
    assert all(20 < (result.retry_after or 0) <= 30 for result in [*first, *second])
    refused = after.refused["QUOTA_EXCEEDED"] - before.refused.get("QUOTA_EXCEEDED", 0)
    assert 20 <= refused < 200, "what was under way was refused, the rest was spared"
    assert after.received == before.received


def test_one_device_over_its_quota_stops_nobody(sandbox: PushSandbox) -> None:
    sandbox.behave(Behaviour(errors={"QUOTA_EXCEEDED": 0.1}, seed=3))
    sums = summed(use(sandbox, lambda gateway: gateway.send(message(), phones(400))))
    assert sums[Outcome.ACCEPTED, "", False] > 300


def test_giving_up_leaves_the_gateway_whole(sandbox: PushSandbox) -> None:
    async def scenario(gateway: PushGateway) -> Sent:
        sandbox.behave(Behaviour(silent=1.0))
        order = asyncio.create_task(gateway.send(message(), phones(100)))
        await asyncio.to_thread(until, lambda: sandbox.count().received > before)
        order.cancel()
        with pytest.raises(asyncio.CancelledError):
            await order
        sandbox.behave()
        return await gateway.send(message(), phones(450))

    before = sandbox.count().received
    assert summed(use(sandbox, scenario)) == {(Outcome.ACCEPTED, "", False): 450}


SHARES = st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.1, 0.3])
MIXES = st.builds(
    Behaviour,
    errors=st.dictionaries(
        st.sampled_from(sorted(FAULTS.keys() - {"INVALID_ARGUMENT"})), st.sampled_from([0.01, 0.05, 0.1])
    ),
    bad_body=SHARES,
    reset=SHARES,
    silent=st.sampled_from([0.0, 0.0, 0.02]),
    revoke_tokens=st.booleans(),
    token_endpoint_down=st.sampled_from([False, False, False, True]),
    retry_after=st.sampled_from([None, "0", "2"]),
    seed=st.integers(0, 1000),
)
PREFIXES = st.lists(st.sampled_from(["phone-", "phone-", "gone-", "busy-", "never-", "bad-"]), max_size=120)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(MIXES, PREFIXES, st.sampled_from([1, 4]))
def test_one_result_each_whatever_happens(
    sandbox: PushSandbox, mix: Behaviour, prefixes: list[str], connections: int
) -> None:
    people = [
        Recipient(1000 - n, n, f"{prefix}{n}", "token", "android", ("vi", "en")[n % 2])
        for n, prefix in enumerate(prefixes)
    ]

    async def scenario(gateway: PushGateway) -> tuple[Sent, Sent]:
        sandbox.behave()
        await gateway.send(message(), [])
        sandbox.behave(mix)
        first = await gateway.send(alert, people)
        sandbox.behave()
        again = {result.rank for result in first if result.outcome is Outcome.DEFERRED}
        return first, await gateway.send(alert, [someone for someone in people if someone.rank in again])

    alert = message()
    before = sandbox.count()
    first, second = use(sandbox, scenario, timeout=0.7, connections=connections)
    after = sandbox.count()

    assert sorted(result.rank for result in first) == sorted(someone.rank for someone in people)
    deferred = [result for result in first if result.outcome is Outcome.DEFERRED]
    assert sorted(result.rank for result in second) == sorted(result.rank for result in deferred)

    accepted = sum(result.outcome is Outcome.ACCEPTED for result in [*first, *second])
    doubtful = sum(result.ambiguous for result in first)
    # On a busy machine the second may not be answered in time either.
    late = sum(result.ambiguous for result in second)
    assert accepted <= after.received - before.received <= accepted + doubtful + late
    assert after.duplicates - before.duplicates <= doubtful, "who is in no doubt gets it once"


def test_settings() -> None:
    good = PushSettings("https://fcm.googleapis.com", Path("account.json"))
    for field, value in (("base_url", "http://x"), ("connections", 0), ("timeout", 0), ("rate", -1.0)):
        with pytest.raises(ValueError, match=field):
            replace(good, **{field: value})


def test_a_key_file_that_is_none(tmp_path: Path, sandbox: PushSandbox) -> None:
    key = tmp_path / "key.json"
    key.write_text("{}")
    with pytest.raises(ValueError, match="service account"):
        use(sandbox, lambda gateway: gateway.send(message(), []), credentials_file=key)
