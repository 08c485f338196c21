"""What the API answers to panels that pair, and about keys of screens."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from broadcaster.web.api.models import Answer, Instant


class PairingOpened(Answer):
    """What a panel is given to pair. It shows `user_code`, and polls with `device_code`."""

    device_code: str = Field(repr=False)
    user_code: str
    expires_in: int
    """Seconds."""
    interval: int
    """Seconds between polls, at least."""


class PairingDone(Answer):
    """The screen and its key, which is not shown again."""

    screen_id: UUID
    key: str = Field(repr=False)
    feed_url: str
    feed_key_url: str
    """Where the key is published that signs what screens are told."""
    feed_key: str
    """That key, 32 bytes in base64: keep it, and refuse what another signed."""


class ScreenClaimed(Answer):
    """The screen that the panel will be, once it has fetched its key."""

    screen_id: UUID
    name: str
    area: str
    profile: str
    drills: bool


class ScreenKeyRotated(Answer):
    """A new key, which is not shown again. The former one ends when this is first used."""

    key: str = Field(repr=False)
    former_ends_at: Instant
    """At the latest."""


class KeysRevoked(Answer):
    """The ids of the keys that were ended."""

    key_ids: list[str]


class KeyStanding(Answer):
    """What has become of a screen's key, to be believed by its signature alone."""

    kind: Literal["key-standing/1"] = "key-standing/1"
    key_id: str
    nonce: str
    """As it was asked with, so that no answer counts twice."""
    standing: Literal["live", "ended"]


class IdentifyAsked(Answer):
    """Until when the screen makes itself known."""

    until: Instant


class PlaysTaken(Answer):
    """How many lines of a batch were of alerts that are known; none of a batch that was taken before."""

    taken: int
    repeated: bool
