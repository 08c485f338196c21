"""An audience parted in two: those a topic reaches, and those who are sent to by their token. Pure.

A topic is fit only where everyone in it is in the audience (whoever says so knows who is in it), so each
recipient is in exactly one of the parts. Both are of the same version; the second is a wave of it.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple

from pyroaring import BitMap64

from projections.fanout.order import Group, groups_of
from projections.fanout.waves import members
from schemas.content import Content, Lane, Language, Mode
from schemas.dispatch import Dispatch, TopicShare
from schemas.events import AudienceFrozen, HomeGroup
from schemas.ids import audience_id


class Carried(NamedTuple):
    """A topic that a message can go to, and everyone who is in it."""

    name: str
    language: Language
    ids: BitMap64
    area: str = ""
    """Where nearly all of them live."""


Claim = Callable[[AudienceFrozen, frozenset[str] | None], Sequence[Carried]]
"""Answers the topics that are fit for the audience (of those named, if any are), none of which changes
from then on until it expires."""


def wanted(content: Content) -> bool:
    """Whether what is issued first may go by topics: an emergency, from which nobody can opt out."""
    return content.lane is Lane.EMERGENCY and content.mode is Mode.ACTUAL


def parted(audience: AudienceFrozen, carried: Sequence[Carried]) -> list[AudienceFrozen]:
    """The audience as it was where nothing is carried; else those with tokens, then those by topic."""
    everyone = members(audience)
    fit = [each for each in carried if each.ids and each.ids <= everyone]
    groups = groups_of(audience)
    told = audience.groups and sum(len(group.ids) for group in groups) == len(everyone)
    if not fit or not told:
        return [audience]
    by_topic = BitMap64()
    for each in fit:
        by_topic |= each.ids
    assert len(by_topic) == sum(len(each.ids) for each in fit), "each phone is in one topic"
    tokens = _only(audience, groups, everyone - by_topic)
    shares = [
        TopicShare(
            name=each.name,
            language=each.language,
            areas=_homes(each, groups),
        )
        for each in fit
    ]
    stream = audience_id(audience.alert_id, audience.version, audience.channel, 1)
    topics = _only(audience, groups, by_topic).model_copy(
        update={
            "originator_id": stream,
            "wave": 1,
            "first": tokens.count,
            "spared": (),
            "topics": tuple(shares),
            "topic_bitmaps": tuple(b64encode(each.ids.serialize()).decode() for each in fit),
        }
    )
    return [tokens, topics]


def _homes(topic: Carried, groups: Sequence[Group]) -> tuple[tuple[str, int], ...]:
    # A city has some thousand topics and half as many areas: nearly always the first look is enough.
    own = [group for group in groups if group.area == topic.area]
    for told in (own, groups):
        found = tuple((group.area, len(here)) for group in told if (here := group.ids & topic.ids))
        if sum(count for _, count in found) == len(topic.ids):
            return found
    raise AssertionError("everyone of an audience has a home in it")


def names(waves: Sequence[AudienceFrozen]) -> frozenset[str]:
    """The topics that a version went to, but for those that were given up."""
    went = {topic.name for wave in waves for topic in wave.topics}
    return frozenset(went - {wave.instead_of for wave in waves})


def instead(waves: Sequence[AudienceFrozen], order: Dispatch) -> AudienceFrozen | None:
    """The wave, by token, of those whose topic's message was given up; None where it was made already."""
    name = order.topic.name if order.topic else ""
    if not name or any(wave.instead_of == name for wave in waves):
        return None
    wave = next(wave for wave in waves if wave.originator_id == order.audience_id)
    ids = BitMap64.deserialize(b64decode(wave.topic_bitmaps[order.first - wave.first]))
    return _only(wave, groups_of(wave), ids).model_copy(
        update={
            "originator_id": audience_id(wave.alert_id, wave.version, wave.channel, len(waves)),
            "wave": len(waves),
            "first": sum(each.count for each in waves),
            "topics": (),
            "topic_bitmaps": (),
            "instead_of": name,
        }
    )


def _only(audience: AudienceFrozen, groups: Sequence[Group], who: BitMap64) -> AudienceFrozen:
    packed = who.serialize()
    left = [Group(group.area, group.ids & who) for group in groups]
    told = [group for group in left if group.ids]
    return audience.model_copy(
        update={
            "count": len(who),
            "bitmap": b64encode(packed).decode(),
            "sha256": sha256(packed).hexdigest(),
            "by_area": dict(sorted((group.area, len(group.ids)) for group in told)),
            "groups": tuple(
                HomeGroup(area=group.area, bitmap=b64encode(group.ids.serialize()).decode())
                for group in told
            ),
        }
    )
