"""The gateways a deployment sends through: real providers by the settings, or the sandbox's doubles."""

import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from broadcaster.settings import Settings, SettingsError
from channels.gateway import Gateway
from channels.push import PushGateway, PushSettings
from channels.sms import MailGateway, MailSettings, SmppSettings, SmsGateway
from schemas.content import Channel

SANDBOX = "sandbox"
SANDBOX_WAIT = 30.0
"""Seconds a worker waits for the sandbox to say where it listens."""


def gateway(settings: Settings, channel: Channel, clock: Callable[[], datetime]) -> Gateway:
    """The gateway of a channel. Raises SettingsError."""
    build = _GATEWAYS[channel]
    return build(settings, clock)


def sandbox_endpoint(settings: Settings, double: str) -> dict[str, Any]:
    """Where a double of the sandbox listens; waits for one that is starting. Raises SettingsError."""
    path = settings.data / SANDBOX / double / "endpoint.json"
    deadline = time.monotonic() + SANDBOX_WAIT
    while not path.exists():
        if time.monotonic() > deadline:
            raise SettingsError(f"the sandbox has not said where {double} listens ({path})")
        time.sleep(0.05)
    return json.loads(path.read_text(encoding="utf-8"))


def count_url(endpoint: dict[str, Any]) -> str:
    """Where a double says what it received."""
    return endpoint.get("stats_url") or f"{endpoint['url']}/sandbox/count"


def _push(settings: Settings, clock: Callable[[], datetime]) -> Gateway:
    if settings.providers == "sandbox":
        url = sandbox_endpoint(settings, "fcm")["url"]
        folder = settings.data / SANDBOX / "fcm"
        push = PushSettings(
            base_url=url,
            credentials_file=folder / "service-account.json",
            ca_file=folder / "ca.pem",
            rate=settings.push_rate,
        )
    else:
        assert settings.fcm_credentials is not None
        push = PushSettings(
            base_url=settings.fcm_url,
            credentials_file=settings.fcm_credentials,
            ca_file=None,
            rate=settings.push_rate,
        )
    return PushGateway(push, clock)


def _sms(settings: Settings, clock: Callable[[], datetime]) -> Gateway:
    del clock
    if settings.sms_transport == "email":
        return MailGateway(_mail(settings))
    return SmsGateway(_smpp(settings))


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


def _mail(settings: Settings) -> MailSettings:
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


# A new channel is its folder and one entry here.
_GATEWAYS: dict[Channel, Callable[[Settings, Callable[[], datetime]], Gateway]] = {
    Channel.PUSH: _push,
    Channel.SMS: _sms,
}


def sandbox_folder(settings: Settings) -> Path:
    """Where the doubles keep their addresses, keys and journals."""
    return settings.data / SANDBOX
