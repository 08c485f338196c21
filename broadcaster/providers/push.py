"""Push: FCM, and browsers' own services."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psycopg_pool import ConnectionPool

from broadcaster.delivery.quota import SharedQuota
from broadcaster.providers import sandbox_endpoint, sandbox_folder
from broadcaster.settings import Settings, SettingsError
from channels.gateway import Gateway
from channels.push import PushGateway, PushSettings
from channels.push.both import PhonesAndBrowsers
from channels.push.roads import PhonesAndTopics
from channels.push.subscriptions import Subscriptions
from channels.push.topics import TopicGateway
from channels.push.web.client import WebPushGateway, WebPushSettings
from schemas.web_push import Services


def gateway(settings: Settings, clock: Callable[[], datetime], pool: ConnectionPool[Any]) -> Gateway:
    """FCM's gateway, or its double's; and browsers beside it, where the operator has a key for them."""
    phones = _fcm(settings, clock, pool)
    if settings.vapid_key is None:
        return phones
    quota = SharedQuota(pool, "webpush", settings.web_push_quota, settings.push_reserve)
    try:
        browsers = WebPushGateway(_browsers(settings, settings.vapid_key), clock, quota)
    except (OSError, ValueError) as error:
        raise SettingsError(f"BROADCASTER_VAPID_KEY: {error}") from None
    return PhonesAndBrowsers(phones, browsers)


def subscriptions(settings: Settings, clock: Callable[[], datetime]) -> Subscriptions:
    """Google's service of topics, or the double's."""
    push = _endpoint(settings)
    url = push.base_url if settings.providers == "sandbox" else settings.fcm_topics_url
    return Subscriptions(push, clock, url)


def _browsers(settings: Settings, key: Path) -> WebPushSettings:
    subject = settings.vapid_subject or f"mailto:{settings.mail_from}"
    if settings.providers == "sandbox":
        url = sandbox_endpoint(settings, "webpush")["url"]
        # The double alone: a trial sends to no real browser.
        double = Services((urlsplit(url).netloc,))
        return WebPushSettings(key, subject, double, sandbox_folder(settings) / "webpush" / "ca.pem")
    return WebPushSettings(key, subject, Services.of(settings.web_push_services))


def _fcm(settings: Settings, clock: Callable[[], datetime], pool: ConnectionPool[Any]) -> Gateway:
    # Whatever the settings are now: an alert that went by topics is cancelled by them.
    quota = SharedQuota(pool, "fcm", settings.push_quota, settings.push_reserve)
    topics = TopicGateway(_endpoint(settings), clock, quota)
    return PhonesAndTopics(_phones(settings, clock, pool), topics)


def _phones(settings: Settings, clock: Callable[[], datetime], pool: ConnectionPool[Any]) -> Gateway:
    push = _endpoint(settings)
    quota = SharedQuota(pool, "fcm", settings.push_quota, settings.push_reserve)
    if settings.push_transport == "firebase_admin":
        # By name: who does not use it does not load it.
        from channels.push.sdk import SdkGateway  # noqa: PLC0415

        return SdkGateway(push, clock, quota)
    return PushGateway(push, clock, quota)


def _endpoint(settings: Settings) -> PushSettings:
    if settings.providers == "sandbox":
        url = sandbox_endpoint(settings, "fcm")["url"]
        folder = sandbox_folder(settings) / "fcm"
        return PushSettings(
            base_url=url, credentials_file=folder / "service-account.json", ca_file=folder / "ca.pem"
        )
    assert settings.fcm_credentials is not None
    return PushSettings(base_url=settings.fcm_url, credentials_file=settings.fcm_credentials)
