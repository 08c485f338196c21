"""Every setting, read from the environment once. Secrets come by file or environment, never by argv."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from broadcaster.settings.proxies import ProxyError, refuse_proxy
from broadcaster.settings.sms_carriers import read_providers
from schemas.web_push import SERVICES, Services

PREFIX = "BROADCASTER_"
_ISSUER = r"^(https://[^/?#\s]+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?)(/[^?#\s]*[^/?#\s])?$"
"""A secret is sent there, so in the clear to this machine only."""

LEAST_QUOTA = 6_000
"""Pushes a minute. Of less a whole window finds no room within the time that a worker waits for it, so none
would ever go."""

SECRETS = (
    "database_url",
    "nats_token",
    "smpp_password",
    "smtp_password",
    "sms_providers",
    "canary_token",
    "canary_phone",
    "oidc_client_secret",
)


class SettingsError(Exception):
    """A setting is missing or wrong; the text is one line and names it."""


class Settings(BaseModel):
    """The settings of one deployment; `BROADCASTER_<NAME>` sets each, `..._FILE` reads it from a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Path("broadcaster-data")
    """The data folder: embedded engines, sandbox, logs of the roles."""
    listen: Annotated[str, Field(pattern=r"^([^:]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$")] = "127.0.0.1:8600"
    """Address and port of the web role; an IPv6 address stands in brackets."""
    public_url: str = ""
    """What citizens and screens reach it by; the listen address where empty."""

    database_url: SecretStr | None = None
    """PostgreSQL 15 or newer; an embedded one is started where empty."""
    nats_url: str | None = None
    """A JetStream server or cluster, comma-separated; an embedded one is started where empty."""
    nats_token: SecretStr | None = None
    nats_replicas: Annotated[int, Field(ge=1, le=5)] = 1

    providers: Literal["sandbox", "real"] = "sandbox"
    """sandbox: our own doubles on loopback, for trials. real: the settings below are required."""
    fcm_url: str = "https://fcm.googleapis.com"
    fcm_credentials: Path | None = None
    """Google's service-account file."""
    push_transport: Literal["http2", "firebase_admin"] = "http2"
    """http2: our own client. firebase_admin: Google's SDK, at some 50 times the CPU time."""
    push_topics: bool = False
    """Keep phones in FCM topics, so that the operator can send emergencies by them; where not, they are
    taken out of any."""
    fcm_topics_url: str = "https://iid.googleapis.com"
    """Google's service that subscribes phones to topics."""
    push_quota: Annotated[int, Field(gt=0)] = 600_000
    """Messages a minute for all workers together: what Google grants the project, 600,000 by default."""
    push_reserve: Annotated[float, Field(ge=0, le=0.9)] = 0.05
    """The share of the quota that only emergencies may use."""
    push_in_doubt: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Recipients that a process may have sent to and not noted the answer of: what a kill of it may send
    twice. It sends at most so many in the time of one answer."""
    push_workers: Annotated[int, Field(ge=1, le=16)] = 1
    """Processes that `serve` runs for emergencies, and as many for the other lanes."""
    vapid_key: Path | None = None
    """Our private key of P-256 (PEM) for browsers' push services; no Web Push where empty."""
    vapid_subject: str = ""
    """Whom they may turn to, mailto: or https:; mail_from where empty."""
    web_push_services: str = SERVICES
    """Hosts that browsers may be reached at, comma-separated; `*.` stands for any name before."""
    web_push_quota: Annotated[int, Field(gt=0)] = 300_000
    """Messages a minute to all of them, for all workers together."""
    sms_transport: Literal["smpp", "email"] = "smpp"
    sms_accented: bool = False
    """Vietnamese with marks costs 2-3 times the segments."""
    sms_segments: Annotated[int, Field(ge=1, le=3)] = 3
    """What one alert may cost a phone: longer texts are refused at submit."""
    sms_rate: Annotated[float, Field(gt=0)] = 1_000.0
    """Parts a second for all workers together: what the carrier sold."""
    smpp_host: str | None = None
    smpp_port: Annotated[int, Field(ge=1, le=65_535)] = 2775
    smpp_system_id: str = ""
    smpp_password: SecretStr = SecretStr("")
    sms_brand: str = "iHaNoi"
    sms_price: Annotated[int, Field(ge=0)] = 0
    """What one short message costs, in VND, by the contract."""
    sms_providers: SecretStr = SecretStr("")
    """Several carriers as a JSON list (docs/delivery.md), instead of the one of smpp_* or smtp_*."""
    smtp_host: str | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 25
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    sms_mail_domain: str = "sms.invalid"
    mail_from: str = "canh-bao@hanoi.invalid"

    canary_every: Annotated[float, Field(ge=0)] = 0.0
    """Seconds between test items on each lane; none are sent at 0. 300 is a good figure."""
    canary_token: SecretStr | None = None
    """The push token (android) of a phone of the operator's own."""
    canary_phone: SecretStr | None = None
    """Its number."""

    sender_domain: str = "canhbao.hanoi.gov.vn"
    """Completes CAP's sender, `<body>@<domain>`."""
    cap_key: Path | None = None
    """A private key with its certificates (PEM) that signs CAP messages; they go unsigned where empty."""
    cadence_reading: Literal["calendar", "rolling"] = "calendar"
    """What "3 days" means where the log holds no policy."""
    cadence_office: str = "vp-ubnd"
    """The body whose managers set the terms of the cadence, and to which what stays overdue is told."""
    cadence_public: bool = False
    """Whether anyone may read the scorecard of the cadence."""
    reminders: bool = False
    """Remind the offices of bodies by e-mail, through smtp_host."""

    feed_epoch: Annotated[int, Field(ge=1)] = 1
    """Raised by one when an older copy of the log was put in place of a newer one: screens refuse a feed
    with a lower (epoch, seq) than their last."""
    feed_key: Path | None = None
    """The private key that signs what screens are told; <data>/feed.key where empty."""

    edge_per_address: Annotated[int, Field(ge=0)] = 1_000
    """Connections of the role led-edge that one address may have; 0 for no limit, behind a proxy."""

    checkpoint_key: Path | None = None
    """The private key that signs checkpoints of the log; <data>/checkpoint.key where empty."""
    checkpoints: Path | None = None
    """Where checkpoints are kept, best on another machine's disk; <data>/checkpoints.jsonl where empty."""

    accounts_key: Path | None = None
    """32 random bytes in base64 that seal second-factor secrets; <data>/accounts.key where empty."""
    session_idle_minutes: Annotated[int, Field(ge=1, le=240)] = 30
    """A session of the console ends when unused for so long,"""
    session_hours: Annotated[int, Field(ge=1, le=24)] = 12
    """and after so long in any case."""
    fresh_minutes: Annotated[int, Field(ge=1, le=60)] = 10
    """How long a second factor is good for approving, issuing and cancelling."""

    oidc_issuer: Annotated[str | None, Field(pattern=_ISSUER)] = None
    """The city's identity provider: https, no slash at the end. Nobody signs in by one where empty."""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_acr: str = ""
    """Values of `acr`, comma-separated, by which the provider says that a second factor was given;
    `amr` with `mfa` says it too."""
    oidc_name: str = "SSO"
    """What people call it; stands on the button."""

    @model_validator(mode="after")
    def _oidc_is_whole(self) -> Self:
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_client_secret.get_secret_value()):
            raise ValueError("oidc_client_id and oidc_client_secret are required with oidc_issuer")
        return self

    @field_validator("web_push_services")
    @classmethod
    def _services_are_hosts(cls, text: str) -> str:
        Services.of(text)
        return text

    @field_validator("vapid_subject")
    @classmethod
    def _subject_is_an_address(cls, text: str) -> str:
        if text and not text.startswith(("mailto:", "https:")):
            raise ValueError("must begin with mailto: or https:")
        return text

    @model_validator(mode="after")
    def _quotas_carry_a_window(self) -> Self:
        for name in ("push_quota", "web_push_quota"):
            if getattr(self, name) * (1 - self.push_reserve) < LEAST_QUOTA:
                raise ValueError(f"{name}: beside push_reserve, at least {LEAST_QUOTA} a minute are needed")
        return self

    @model_validator(mode="after")
    def _sms_providers_are_whole(self) -> Self:
        read_providers(self.sms_providers.get_secret_value())
        return self

    @model_validator(mode="after")
    def _providers_are_named(self) -> Self:
        if self.providers == "sandbox":
            return self
        if self.reminders and self.smtp_host is None:
            raise ValueError("smtp_host is required with real providers and reminders")
        if self.fcm_credentials is None:
            raise ValueError("fcm_credentials is required with real providers")
        if self.sms_providers.get_secret_value():
            return self
        if self.sms_transport == "smpp" and self.smpp_host is None:
            raise ValueError("smpp_host is required with real providers and sms_transport=smpp")
        if self.sms_transport == "email" and self.smtp_host is None:
            raise ValueError("smtp_host is required with real providers and sms_transport=email")
        return self

    @property
    def checkpoint_key_path(self) -> Path:
        """The key file, which may not exist yet."""
        return self.checkpoint_key or self.data / "checkpoint.key"

    @property
    def feed_key_path(self) -> Path:
        """The key file, which may not exist yet."""
        return self.feed_key or self.data / "feed.key"

    @property
    def checkpoints_path(self) -> Path:
        """The file of checkpoints, which may not exist yet."""
        return self.checkpoints or self.data / "checkpoints.jsonl"

    @property
    def accounts_key_path(self) -> Path:
        """The key file, which may not exist yet."""
        return self.accounts_key or self.data / "accounts.key"

    @property
    def host(self) -> str:
        """To listen on."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """To listen on."""
        return int(self.listen.rpartition(":")[2])

    @property
    def url(self) -> str:
        """What others reach the web role by."""
        return self.public_url or f"http://{self.listen}"

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ, **given: object) -> Self:
        """Reads the environment; what is given by name wins. Raises SettingsError."""
        values: dict[str, object] = {}
        for name in cls.model_fields:
            key = PREFIX + name.upper()
            if key in env:
                values[name] = env[key]
            elif f"{key}_FILE" in env:
                values[name] = _read(f"{key}_FILE", env[f"{key}_FILE"])
        values |= {name: value for name, value in given.items() if value is not None}
        try:
            made = cls.model_validate({name: value for name, value in values.items() if value != ""})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = "_".join(str(part) for part in first["loc"]).upper()
            raise SettingsError(f"{PREFIX + place if place else 'settings'}: {first['msg']}") from None
        if made.providers == "real":
            try:
                refuse_proxy(env, made.fcm_url)
                if made.push_topics:
                    refuse_proxy(env, made.fcm_topics_url)
            except ProxyError as error:
                raise SettingsError(str(error)) from None
        return made


def _read(key: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{key}: cannot read {path} ({error.strerror})") from None
