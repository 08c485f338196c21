"""What the API answers to panels that pair, and about keys of screens."""

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


class IdentifyAsked(Answer):
    """Until when the screen makes itself known."""

    until: Instant


class PlaysTaken(Answer):
    """How many lines of a batch were of alerts that are known; none of a batch that was taken before."""

    taken: int
    repeated: bool
