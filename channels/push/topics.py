"""One message for all who are subscribed to a topic: FCM finds the phones.

It says of nobody whether they got it, so an accepted message is a topic's, not a person's, and a phone
in two topics shows it twice but for the tag, which is the alert's. Who uses it counts by topic.
"""

from collections.abc import Sequence

import structlog

from channels.gateway import TOPIC, Message, PayloadFaultError, Recipient, Result
from channels.push.client import PushGateway
from channels.push.window import Job, Tell
from schemas.content import Mode
from schemas.dispatch import Outcome
from schemas.push_topics import checked, topic_of

__all__ = ["KIND", "LIMIT", "TopicGateway", "checked", "topic_of"]

log = structlog.get_logger(__name__)

KIND = TOPIC
"""FCM's own field for it."""
_NEVER = (Outcome.GONE, Outcome.REFUSED)
LIMIT = 2048
"""FCM's most bytes of a message to a topic: half of one to a phone."""


class TopicGateway(PushGateway):
    """Sends to topics as PushGateway does to phones: a recipient's `address` is the topic's name."""

    kinds = (KIND,)
    limit = LIMIT

    async def send_telling(
        self, message: Message, recipients: Sequence[Recipient], tell: Tell | None = None
    ) -> list[Result]:
        """As PushGateway's, by which `send` goes too.

        Raises ValueError for an exercise or a test, which is for the few.

        A topic that is refused is dead, not gone: a commune's phones are to be looked after by someone.
        Nor is it ever a PayloadFaultError: that would stop the alert for the phones with tokens too, and
        for those that are sent theirs by token instead.
        """
        if message.content.mode is not Mode.ACTUAL:
            raise ValueError(f"mode: {message.content.mode} goes to no topic")
        for one in recipients:
            checked(one.address)
        try:
            results = await super().send_telling(message, recipients, tell)
        except PayloadFaultError as fault:
            # Nothing was sent: it is too long for a topic, and may not be for a phone.
            return [Result(one.rank, Outcome.DEAD, fault.reason) for one in recipients]
        return [one._replace(outcome=Outcome.DEAD) if one.outcome in _NEVER else one for one in results]

    def _judge(self, message: Message, jobs: Sequence[Job], results: Sequence[Result]) -> None:
        """What is refused to a topic, phones may be sent."""
        del jobs
        if reasons := sorted({one.reason for one in results if one.outcome in _NEVER}):
            log.error("push.topic_refused", alert=str(message.alert_id), reasons=reasons)
