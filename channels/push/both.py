"""Phones and browsers as one gateway: whom a window goes through is said before it is sent."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Self

from channels.gateway import Gateway, Message, Recipient, Resting, Result, Telling
from schemas.content import Channel
from schemas.web_push import KIND


class PhonesAndBrowsers:
    """A Gateway and a Router. An address belongs to one of the two by its kind, for good.

    It is Resting and Telling as the phones' gateway is.
    """

    channel = Channel.PUSH
    name = "push"

    def __init__(self, phones: Gateway, browsers: Gateway) -> None:
        self._phones, self._browsers = phones, browsers
        self.window = min(phones.window, browsers.window)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._phones)
            await stack.enter_async_context(self._browsers)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def rest(self, attempt: int = 1) -> float:
        """As Resting.rest, of what was tried: nearly all who are put off are FCM's.

        A first attempt is made whatever FCM's state, for browsers have another service.
        """
        phones = self._phones
        return phones.rest(attempt) if attempt > 1 and isinstance(phones, Resting) else 0.0

    def route(self, message: Message, recipients: Sequence[Recipient]) -> Iterator[list[Recipient]]:
        """As Router.route: the phones' windows, then the browsers'."""
        del message
        for gateway, mine in self._parted(recipients):
            for at in range(0, len(mine), gateway.window):
                yield [each._replace(via=gateway.name) for each in mine[at : at + gateway.window]]

    async def send(self, message: Message, recipients: Sequence[Recipient]) -> list[Result]:
        """As Gateway.send; each result names the one it came through."""
        return await self.send_telling(message, recipients, lambda _: None)

    async def send_telling(
        self, message: Message, recipients: Sequence[Recipient], tell: Callable[[Result], None]
    ) -> list[Result]:
        """As Telling.send_telling, of those who go through a gateway that tells."""
        results: list[Result] = []
        for gateway, mine in self._parted(recipients):
            name = gateway.name
            if isinstance(gateway, Telling):
                some = await gateway.send_telling(
                    message, mine, lambda result, name=name: tell(result._replace(via=name))
                )
            else:
                some = await gateway.send(message, mine)
            results += [result._replace(via=name) for result in some]
        return results

    def _parted(self, recipients: Sequence[Recipient]) -> list[tuple[Gateway, list[Recipient]]]:
        browsers = [each for each in recipients if each.kind == KIND]
        phones = [each for each in recipients if each.kind != KIND]
        parts = ((self._phones, phones), (self._browsers, browsers))
        return [(gateway, mine) for gateway, mine in parts if mine]
