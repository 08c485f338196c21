"""One message for all who are subscribed to a topic: FCM finds the phones.

It says of nobody whether they got it, so an accepted message is a topic's, not a person's, and a phone
in two topics shows it twice but for the tag, which is the alert's. Who uses it counts by topic.
"""

import re
from collections.abc import Sequence

from channels.gateway import Message, Recipient, Result
from channels.push.client import PushGateway
from schemas.content import Language, Mode

KIND = "topic"
"""FCM's own field for it."""
LIMIT = 2048
"""FCM's most bytes of a message to a topic: half of one to a phone."""
_NAME = re.compile(r"[a-zA-Z0-9_.~%-]{1,900}")


def topic_of(area: str, language: Language) -> str:
    """The topic of those with their home in the area who read the language: each phone is in one.

    By language, as a message has one text; by no platform, as it has a part for each.
    """
    return checked(f"hn-{area}-{language}")


def checked(topic: str) -> str:
    """The topic. Raises ValueError where FCM has no such name."""
    if not _NAME.fullmatch(topic):
        raise ValueError("topic: must be letters, digits and -_.~% only")
    return topic


class TopicGateway(PushGateway):
    """Sends to topics as PushGateway does to phones: a recipient's `address` is the topic's name."""

    kinds = (KIND,)
    limit = LIMIT

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        """As PushGateway.send. Raises ValueError for an exercise or a test, which is for the few."""
        if message.content.mode is not Mode.ACTUAL:
            raise ValueError(f"mode: {message.content.mode} goes to no topic")
        for one in recipients:
            checked(one.address)
        return await super().send(message, recipients)
