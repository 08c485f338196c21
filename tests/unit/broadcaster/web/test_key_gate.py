"""Guesses of keys: bounded by address and in all, and harmless to who has a good one."""

import json

from hypothesis import given
from hypothesis import strategies as st

from broadcaster.web.key_gate import BURST, IN_ALL_BURST, PER_SECOND, KeyGate
from tests.unit.broadcaster.web.town import Town


@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_an_address_has_its_burst_and_four_a_second(pauses: list[float]) -> None:
    gate, at, admitted = KeyGate(), 100.0, 0
    for number, pause in enumerate(pauses):
        at += pause
        admitted += gate.admits("192.0.2.1", f"k{number}", at)
    assert admitted <= BURST + PER_SECOND * (at - 100.0) + 1e-6
    assert admitted >= min(len(pauses), BURST)
    assert gate.admits("192.0.2.2", "other", at)


def test_a_good_key_is_looked_for_beside_any_number_of_guesses() -> None:
    gate = KeyGate()
    assert gate.admits("192.0.2.1", "good", 0.0)
    gate.found("192.0.2.1", "good")
    assert sum(gate.admits("192.0.2.1", f"g{number}", 0.0) for number in range(1_000)) == BURST
    assert gate.admits("192.0.2.1", "good", 0.0)
    gate.lost("good")
    assert not gate.admits("192.0.2.1", "good", 0.0)
    assert gate.admits("192.0.2.1", "good", 1.0)


def test_many_addresses_are_bounded_together_and_a_net_is_one() -> None:
    gate = KeyGate()
    many = [gate.admits(f"10.0.{n // 250}.{n % 250}", f"k{n}", 0.0) for n in range(2_000)]
    assert sum(many) == IN_ALL_BURST
    net = KeyGate()
    assert sum(net.admits(f"2001:db8::{n:x}", f"k{n}", 0.0) for n in range(100)) == BURST


def test_guesses_cost_no_reads_beyond_the_bound(town: Town) -> None:
    reads: list[str] = []
    find = town.key_store.find

    def counted(text: str, *rest: object) -> object:
        reads.append(text)
        return find(text, *rest)  # type: ignore[arg-type]

    town.client("lan").get("/v1/dead-letters").raise_for_status()
    town.key_store.find = counted  # type: ignore[method-assign,assignment]
    answers = [
        town.client().get("/v1/dead-letters", Authorization=f"Bearer hn_{number:012}_x")
        for number in range(60)
    ]
    answer = answers[-1]
    assert [one.status_code for one in answers] == [401] * BURST + [429] * (60 - BURST)
    assert len(reads) == BURST
    assert (answer.headers["retry-after"], json.loads(answer.text)["type"]) == ("1", "/problems/tries")
    assert town.client("lan").get("/v1/dead-letters").status_code == 200
    metrics = town.client().get("/metrics").text
    assert f'broadcaster_screen_refusals_total{{reason="key_gate"}} {60 - BURST}.0' in metrics
    town.later(seconds=1)
    late = town.client().get("/v1/dead-letters", Authorization="Bearer hn_1_x")
    assert late.status_code == 401
