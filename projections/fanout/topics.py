"""An audience parted in two: those a topic reaches, and those who are sent to by their token. Pure.

A topic is fit only where everyone in it is in the audience (whoever says so knows who is in it), so each
recipient is in exactly one of the parts. Both are of the same version; the second is a wave of it.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NamedTuple

from pyroaring import BitMap64

from projections.fanout.order import Group, groups_of
from projections.fanout.waves import members
from schemas.content import Content, Lane, Language, Mode
from schemas.dispatch import TopicShare
from schemas.events import AudienceFrozen, HomeGroup
from schemas.ids import audience_id


class Carried(NamedTuple):
    """A topic that a message can go to, and everyone who is in it."""

    name: str
    language: Language
    ids: BitMap64


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
    if not fit or not audience.groups:
        return [audience]
    by_topic = BitMap64()
    for each in fit:
        assert not by_topic & each.ids, "each phone is in one topic"
        by_topic |= each.ids
    groups = groups_of(audience)
    tokens = _only(audience, groups, everyone - by_topic)
    shares = [
        TopicShare(
            name=each.name,
            language=each.language,
            areas=tuple((group.area, len(here)) for group in groups if (here := group.ids & each.ids)),
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
        }
    )
    return [tokens, topics]


def names(waves: Sequence[AudienceFrozen]) -> frozenset[str]:
    """The topics that a version went to."""
    return frozenset(topic.name for wave in waves for topic in wave.topics)


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
