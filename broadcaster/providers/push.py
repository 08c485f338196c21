"""Push: FCM."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from psycopg_pool import ConnectionPool

from broadcaster.providers import sandbox_endpoint, sandbox_folder
from broadcaster.quota import SharedQuota
from broadcaster.settings import Settings
from channels.gateway import Gateway
from channels.push import PushGateway, PushSettings


def gateway(settings: Settings, clock: Callable[[], datetime], pool: ConnectionPool[Any]) -> Gateway:
    """FCM's gateway, or its double's."""
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
