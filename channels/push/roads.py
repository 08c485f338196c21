"""FCM by both roads as one gateway: to a phone by its token, and to a topic for all who are in it."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Self

from channels.gateway import Gateway, Message, Recipient, Resting, Result, Telling
from channels.push.topics import KIND, TopicGateway
from schemas.content import Channel


class PhonesAndTopics:
    """A Gateway, Resting as the phones' is. A dispatch is for phones or for a topic, never for both."""

    channel = Channel.PUSH

    def __init__(self, phones: Gateway, topics: TopicGateway) -> None:
        self._phones, self._topics = phones, topics
        self.name, self.window = phones.name, phones.window

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._phones)
            await stack.enter_async_context(self._topics)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def rest(self, attempt: int = 1) -> float:
        """As Resting.rest."""
        return self._phones.rest(attempt) if isinstance(self._phones, Resting) else 0.0

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        """As Gateway.send."""
        return await self.send_telling(message, recipients, lambda _: None)

    async def send_telling(
        self, message: Message, recipients: Sequence[Recipient], tell: Callable[[Result], None]
    ) -> list[Result]:
        """As Telling.send_telling, where the phones' gateway tells."""
        gateway = self._topics if recipients and recipients[0].kind == KIND else self._phones
        if isinstance(gateway, Telling):
            return await gateway.send_telling(message, recipients, tell)
        return await gateway.send(message, recipients)
