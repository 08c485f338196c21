"""SMS: the carriers of the deployment, as one gateway."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from psycopg_pool import ConnectionPool

from broadcaster.delivery.sms_turns import SharedTurns
from broadcaster.providers import sandbox_endpoint
from broadcaster.runtime import House
from broadcaster.settings import Settings
from broadcaster.settings.sms_carriers import SmsProvider, read_providers
from channels.delivery import Refusal
from channels.gateway import Gateway
from channels.sms import MailGateway, MailSettings, Member, SmppSettings, SmsGateway, SmsPool
from channels.sms.receipts import Book

_book = Book()
"""This process's: what its carriers took and what they said of it."""


def gateway(settings: Settings, clock: Callable[[], datetime], pool: ConnectionPool[Any]) -> Gateway:
    """The carriers' gateways by SMPP or by mail, or the double's."""
    listed = read_providers(settings.sms_providers.get_secret_value())
    return SmsPool([_listed(one, pool) for one in listed] or [_only(settings, pool)], clock)


@asynccontextmanager
async def beside(house: House) -> AsyncGenerator[Refusal]:
    """Keeps what carriers say of messages for as long as it is entered; budgets may refuse."""
    task = asyncio.create_task(_book.run(house.sms_receipts.note))
    try:
        yield house.sms_budgets.refusal
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _by_smpp(smpp: SmppSettings, name: str, pool: ConnectionPool[Any]) -> SmsGateway:
    """All workers together keep to what the carrier sold."""
    turns = SharedTurns(pool, f"sms:{name}", smpp.messages_per_second)
    return SmsGateway(smpp, name=name, book=_book, turns=turns)


def _listed(one: SmsProvider, pool: ConnectionPool[Any]) -> Member:
    if one.protocol == "email":
        mail = MailSettings(
            one.host,
            one.port,
            one.domain,
            one.sender,
            username=one.system_id,
            password=one.password.get_secret_value(),
            use_tls=one.tls,
            accented=one.accented,
            rules=one.rules,
        )
        return Member(MailGateway(mail, name=one.name), one.weight, one.price, one.rules)
    smpp = SmppSettings(
        one.host,
        one.port,
        one.system_id,
        one.password.get_secret_value(),
        one.brand,
        tls=one.tls,
        accented=one.accented,
        receipts=one.receipts,
        client_id=one.client_id,
        decimal_receipts=one.decimal_receipts,
        messages_per_second=one.rate,
        in_flight=one.in_flight,
        gone=one.gone,
        rules=one.rules,
    )
    return Member(_by_smpp(smpp, one.name, pool), one.weight, one.price, one.rules)


def _only(settings: Settings, pool: ConnectionPool[Any]) -> Member:
    if settings.sms_transport == "email":
        return Member(MailGateway(mail_settings(settings)), price=settings.sms_price)
    return Member(_by_smpp(_smpp(settings), "smpp", pool), price=settings.sms_price)


def _smpp(settings: Settings) -> SmppSettings:
    if settings.providers == "sandbox":
        double = sandbox_endpoint(settings, "smsc")
        host, port = double["host"], double["port"]
        system_id, password = double["system_id"], double["password"]
        gone = frozenset[int](double["gone"])
    else:
        host, port = settings.smpp_host or "", settings.smpp_port
        system_id, password = settings.smpp_system_id, settings.smpp_password.get_secret_value()
        gone = frozenset[int]()
    return SmppSettings(
        host,
        port,
        system_id,
        password,
        settings.sms_brand,
        accented=settings.sms_accented,
        messages_per_second=settings.sms_rate,
        gone=gone,
    )


def mail_settings(settings: Settings) -> MailSettings:
    """The mail relay, for SMS and for reminders; the double's in the sandbox."""
    if settings.providers == "sandbox":
        double = sandbox_endpoint(settings, "smtp")
        host, port = double["host"], double["port"]
        username, password = double["system_id"], double["password"]
    else:
        host, port = settings.smtp_host or "", settings.smtp_port
        username, password = settings.smtp_username, settings.smtp_password.get_secret_value()
    return MailSettings(
        host,
        port,
        settings.sms_mail_domain,
        settings.mail_from,
        username=username,
        password=password,
        accented=settings.sms_accented,
    )
