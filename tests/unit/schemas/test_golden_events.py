"""What is stored must load for ever: a golden copy of each event, and the list of topics."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.events import TOPICS, Event, Shown
from tests.unit.schemas.examples import examples

GOLDEN = Path(__file__).parent / "golden"
FROZEN_TOPICS = [
    "area_register.adopted",
    "issuer.registered",
    "role.granted",
    "role.revoked",
    "delegation.granted",
    "delegation.revoked",
    "alert.drafted",
    "alert.revised",
    "alert.submitted",
    "alert.returned",
    "alert.rejected",
    "alert.approved",
    "alert.issued",
    "alert.update_proposed",
    "alert.cancelled",
    "alert.expired",
    "attempt.refused",
    "audience.frozen",
    "receipt.recorded",
    "house.restored",
    "subscribers.imported",
    "evidence.exported",
    "screen.registered",
    "screen.removed",
    "screen.showed",
    "issuer.contacts_set",
    "issuer.policy_set",
    "issuer.moved",
    "issuer.closed",
    "issuer.succeeded",
    "alert.pre_approved",
    "alert.scheduled",
    "alert.unscheduled",
    "template.saved",
    "template.approved",
    "template.retired",
    "area_set.saved",
    "area_set.retired",
    "testers.changed",
    "sms.delivered",
    "sms_budget.set",
    "sms_budget.reserved",
    "sms_budget.exceeded",
    "sms_budget.stopped",
    "screen.moved",
    "screen.repaired",
    "screen.identify_asked",
    "screen.key_rotated",
    "screen.key_revoked",
    "screen.described",
    "screen.display_set",
    "screen.pattern_asked",
    "screen_group.made",
    "screen_group.changed",
    "screen_group.display_set",
    "screen_group.retired",
    "alert_screens.excluded",
    "alert_screens.readmitted",
    "screen.offline",
    "screen.online",
    "dead_letter.replayed",
    "dead_letter.written_off",
    "canary.sent",
    "canary.late",
    "push.route_chosen",
    "push.topics_halted",
    "cadence.policy_set",
    "cadence.exempted",
    "cadence.exemption_ended",
    "reminder.due",
    "reminder.sent",
    "access.asked",
    "access.confirmed",
    "access.refused",
    "access.lapsed",
    "key.revoked",
    "export.made",
    "area_boundaries.loaded",
    "area_boundaries.removed",
    "account.invited",
    "account.opened",
    "account.password_changed",
    "account.second_factor_changed",
    "account.recovery_renewed",
    "account.recovery_used",
    "account.linked",
    "account.unlinked",
    "account.closed",
    "key.ended",
    "key.made",
]


def test_topics_are_only_ever_added_to() -> None:
    assert sorted(TOPICS) == sorted(FROZEN_TOPICS)


@pytest.mark.parametrize("example", examples(), ids=lambda event: event.TOPIC)
def test_the_golden_copy_loads_and_is_written_the_same(example: Event) -> None:
    stored = (GOLDEN / f"{example.TOPIC}.json").read_bytes().rstrip(b"\n")
    loaded = Event.load(example.TOPIC, example.originator_id, example.originator_version, stored)
    assert loaded == example
    assert loaded.payload() == stored


@pytest.mark.parametrize("example", examples(), ids=lambda event: event.TOPIC)
def test_a_payload_is_canonical_json(example: Event) -> None:
    """So that a checker who parses the export and writes it again gets the bytes that were hashed."""
    payload = example.payload().decode()
    assert json.dumps(json.loads(payload), ensure_ascii=False, separators=(",", ":")) == payload


def test_every_topic_has_an_example() -> None:
    assert {event.TOPIC for event in examples()} == set(TOPICS)


def test_a_row_that_lies_is_not_believed() -> None:
    example = examples()[0]
    with pytest.raises(ValueError, match="surprise"):
        Event.load(example.TOPIC, example.originator_id, 1, b'{"surprise":1}')


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_a_row_that_was_cut_short_or_names_another_stream_is_not_believed(cut: int) -> None:
    example = examples()[0]
    stored = example.payload()
    with pytest.raises(ValidationError):
        Event.load(example.TOPIC, example.originator_id, 1, stored[: len(stored) - cut - 1])
    lie = stored[:-1] + b',"originator_id":"00000000-0000-0000-0000-000000000009"}'
    assert Event.load(example.TOPIC, example.originator_id, 7, lie).originator_id == example.originator_id


@pytest.mark.parametrize("version", [0, -1, 10**30])
def test_a_screen_cannot_report_a_version_that_no_table_holds(version: int) -> None:
    with pytest.raises(ValueError, match="version"):
        Shown(alert_id=examples()[0].originator_id, version=version)
