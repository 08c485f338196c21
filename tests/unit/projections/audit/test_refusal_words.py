"""A refusal is said in words, whatever was tried and whichever rule said no."""

from typing import get_args
from uuid import UUID

import pytest

from broadcaster.lifecycle import Command
from broadcaster.rules import Rule
from projections.audit.refusal_words import describe_refusal, has_words
from schemas.events import Actor, AttemptRefused
from schemas.events.access import Wish

BY = Actor(account="hung", body="ubnd-00001")


def refused(command: str, rule: str) -> AttemptRefused:
    return AttemptRefused(
        originator_id=UUID(int=1), originator_version=1, by=BY, command=command, rule=rule, detail="why"
    )


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_has_words(rule: Rule) -> None:
    assert has_words(rule=rule)


@pytest.mark.parametrize(
    "command",
    [*Command, *(f"{how} {wish}" for how in ("ask", "confirm", "refuse") for wish in get_args(Wish))],
)
def test_every_command_about_alerts_and_access_has_words(command: str) -> None:
    assert has_words(command=command)


def test_it_says_what_was_tried_and_why_not() -> None:
    said = describe_refusal(refused("approve", Rule.FOUR_EYES))
    assert said.vi == "Từ chối duyệt: phải có người khác duyệt (why)"
    assert said.en == "Refused to approve: why (approval.four-eyes)"


def test_what_another_release_wrote_stands_as_it_is() -> None:
    said = describe_refusal(refused("juggle", "gravity"))
    assert said.vi == "Từ chối lệnh juggle: gravity (why)"
    assert not has_words(command="juggle")
    assert not has_words(rule="gravity")
