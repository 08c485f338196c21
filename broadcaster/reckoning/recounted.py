"""What came of counting an old audience again: said by the command line and by the API alike."""

from pydantic import AwareDatetime, BaseModel, ConfigDict

from schemas.content import Channel


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Then(_Value):
    """The people of one commune, as it was."""

    edition: str
    code: str
    name: str
    count: int


class Today(_Value):
    """One commune of the edition in force."""

    code: str
    name: str
    whole: int
    """Of communes that became part of it whole."""
    parted: int
    """Of communes that were parted among it and others: at most so many; each is counted in every part."""
    living: int
    """Who has their home in it by the registry as it is now."""


class Recount(_Value):
    """The audience of one version on one channel, and what can be said of it now."""

    version: int
    channel: Channel
    frozen_at: AwareDatetime
    edition: str
    today: str
    """The edition in force."""
    count: int
    """As frozen."""
    sound: bool
    """Whether the sets are what their digests and counts say."""
    then: tuple[Then, ...]
    unplaced: int
    """Whose home was not recorded."""
    now: tuple[Today, ...]
    untold: int
    """Of communes of which nobody said what became of them."""
    kept: int
    """Who can still be reached on the channel; the rest were erased, or are without that address."""
    still: int
    """Whom the same alert would find today."""
    new: int
    """Whom it would find today and was not for."""
    untouched: int
    """Of those found today: whose row is as it was then."""
    untouched_in: int
    """Of them, who was in the audience. The rest were spared it for a graver alert of the incident."""
