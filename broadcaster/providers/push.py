"""Push: FCM."""

from collections.abc import Callable
from datetime import datetime

from broadcaster.providers import sandbox_endpoint, sandbox_folder
from broadcaster.settings import Settings
from channels.gateway import Gateway
from channels.push import PushGateway, PushSettings


def gateway(settings: Settings, clock: Callable[[], datetime]) -> Gateway:
    """FCM's gateway, or its double's."""
    if settings.providers == "sandbox":
        url = sandbox_endpoint(settings, "fcm")["url"]
        folder = sandbox_folder(settings) / "fcm"
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
