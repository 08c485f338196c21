"""The web role: API, public pages and the screens' feeds."""

import os
import socket
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast
from urllib.parse import urlsplit

import psycopg
import uvicorn
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from broadcaster.accounts.oidc import Oidc, OidcSettings
from broadcaster.cap.signing import SignedMessages, Signer
from broadcaster.duty.asking import Asking
from broadcaster.engines import transport
from broadcaster.engines.listening import BACKLOG, inherited
from broadcaster.keys.files import feed_key
from broadcaster.keys.vapid import public_key
from broadcaster.proof.handing_out import Seals
from broadcaster.providers import sandbox_endpoint
from broadcaster.reckoning.forecast import Quotas
from broadcaster.roles import Role, plant
from broadcaster.roles.ending import Ending
from broadcaster.runtime import House, clock
from broadcaster.settings import Settings, SettingsError
from broadcaster.web.app import create_app
from broadcaster.web.feeds.protocol import FeedProtocol
from broadcaster.web.ports import WebPorts
from broadcaster.web.server import WebServer
from schemas.content import Lane
from schemas.web_push import Services

KEEP_ALIVE = 130
"""Seconds between polls on one connection: twice the longest interval, or each poll would dial anew."""


def run(role: Role, settings: Settings, lanes: Sequence[Lane], ending: Ending) -> None:
    """Serves until the process is asked to stop."""
    del role, lanes
    with House.open(settings, check=True) as house:
        front = create_app(web_ports(house))
        # Behind the front, not before it as the server would have it: polls need no client's address.
        trusted = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
        inner: Any = front.app  # uvicorn has types of its own for what an application is.
        front.app = cast("ASGIApp", ProxyHeadersMiddleware(inner, trusted))
        config = uvicorn.Config(
            front,
            http=FeedProtocol,
            proxy_headers=False,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            backlog=BACKLOG,
        )
        server = WebServer(config, front.release)
        ending.tell(server.end)
        server.run(_handed())


def _handed() -> list[socket.socket] | None:
    try:
        return inherited()
    except ValueError as error:
        raise SettingsError(str(error)) from None


def web_ports(house: House) -> WebPorts:
    """What the web role needs of the house."""

    def health() -> Mapping[str, bool]:
        return {"database": _database_answers(house), "transport": transport.answers(house.settings)}

    return WebPorts(
        pool=house.pool,
        log=house.log,
        office=house.office,
        alerts=house.alerts,
        setup=house.setup,
        registry=house.registry,
        keys=house.keys,
        desk=house.desk,
        drafts=house.drafts,
        clock=clock,
        cadence=house.cadence,
        cadence_commands=house.cadence_commands,
        cadence_public=house.settings.cadence_public,
        reports=house.reports,
        feed_key=feed_key(house.settings),
        base_url=house.settings.url,
        canary_every=timedelta(seconds=house.settings.canary_every),
        push_key=push_key(house.settings),
        push_services=push_services(house.settings),
        health=health,
        asking=Asking(house.office, house.reminders) if house.settings.reminders else None,
        lanes=lambda: plant.lanes(house.settings),
        key_files=lambda: plant.key_files(house.settings),
        disks=lambda: plant.disks(house.settings),
        signing=SignedMessages(house.pool, Signer(key)) if (key := house.settings.cap_key) else None,
        projections=[projection.name for projection in house.projections],
        seals=Seals(
            house.settings.sender_domain,
            house.settings.checkpoint_key_path,
            house.settings.checkpoints_path,
        ),
        quotas=Quotas(
            push_per_second=house.settings.push_quota * (1 - house.settings.push_reserve) / 60,
            sms_parts_per_second=house.settings.sms_rate,
            sms_accented=house.settings.sms_accented,
            sms_price=Decimal(price) if (price := house.settings.sms_price) else None,
        ),
        oidc=_oidc(house.settings),
    )


def _oidc(settings: Settings) -> Oidc | None:
    if settings.oidc_issuer is None:
        return None
    return Oidc(
        OidcSettings(
            settings.oidc_issuer,
            settings.oidc_client_id,
            settings.oidc_client_secret.get_secret_value(),
            frozenset(each for each in settings.oidc_acr.split(",") if each),
            settings.oidc_name,
        )
    )


def push_key(settings: Settings) -> str:
    """What browsers subscribe by; empty where the operator has no key. Raises SettingsError."""
    if settings.vapid_key is None:
        return ""
    try:
        return public_key(settings.vapid_key)
    except (OSError, ValueError) as error:
        raise SettingsError(f"BROADCASTER_VAPID_KEY: {error}") from None


def push_services(settings: Settings) -> Services:
    """Where browsers may be reached: nowhere without a key, at the double alone in the sandbox."""
    if settings.vapid_key is None:
        return Services()
    if settings.providers == "sandbox":
        return Services((urlsplit(sandbox_endpoint(settings, "webpush")["url"]).netloc,))
    return Services.of(settings.web_push_services)


def _database_answers(house: House) -> bool:
    try:
        with house.pool.connection(2.0) as conn:
            conn.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True
