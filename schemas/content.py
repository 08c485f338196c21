"""What an alert says, in the terms of CAP 1.2 (OASIS), and to whom it is addressed."""

import re
import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from schemas.absent import absent


class Kind(StrEnum):
    """Regular information ("thường xuyên") or an ad hoc warning ("đột xuất"), telegram 05 §1d."""

    BULLETIN = "bulletin"
    ALERT = "alert"


class Severity(StrEnum):
    """CAP 1.2 §3.2.2 severity."""

    EXTREME = "Extreme"
    SEVERE = "Severe"
    MODERATE = "Moderate"
    MINOR = "Minor"
    UNKNOWN = "Unknown"


class Urgency(StrEnum):
    """CAP 1.2 §3.2.2 urgency."""

    IMMEDIATE = "Immediate"
    EXPECTED = "Expected"
    FUTURE = "Future"
    PAST = "Past"
    UNKNOWN = "Unknown"


class Certainty(StrEnum):
    """CAP 1.2 §3.2.2 certainty."""

    OBSERVED = "Observed"
    LIKELY = "Likely"
    POSSIBLE = "Possible"
    UNLIKELY = "Unlikely"
    UNKNOWN = "Unknown"


class Mode(StrEnum):
    """Whether it is meant. CAP 1.2 §3.2.1 status; an alert keeps its mode through all its versions."""

    ACTUAL = "actual"
    EXERCISE = "exercise"
    """A drill: the real road, to test recipients and drill screens only, marked on every channel."""
    TEST = "test"
    """A technical trial, to test recipients and drill screens only."""

    def mark(self, language: str) -> str:
        """What stands before every text of it, in the reader's language; nothing before what is meant."""
        return _MARKS[self]["vi" if language.startswith("vi") else "en"]


_MARKS = {
    Mode.ACTUAL: {"vi": "", "en": ""},
    Mode.EXERCISE: {"vi": "[DIỄN TẬP] ", "en": "[EXERCISE] "},
    Mode.TEST: {"vi": "[THỬ NGHIỆM] ", "en": "[TEST] "},
}


class MsgType(StrEnum):
    """CAP 1.2 §3.2.1 msgType; Ack and Error are not taken."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


class Channel(StrEnum):
    """A road to people: phones by push, phones by SMS, screens."""

    PUSH = "push"
    SMS = "sms"
    LED = "led"


class Lane(StrEnum):
    """A queue of its own at every stage, so that an emergency waits behind nothing."""

    EMERGENCY = "emergency"
    ALERT = "alert"
    BULLETIN = "bulletin"


Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
"""RFC 5646, for example vi, en, zh-TW. Vietnamese is always written; a reader of a language that was not
written gets Vietnamese."""


_NO_CHARACTER = "\ufdd0-\ufdef" + "".join(
    f"{chr(end - 1)}{chr(end)}" for end in range(0xFFFF, 0x110000, 0x10000)
)
_UNSEEN = re.compile(
    # Direction: marks, embeddings, overrides, isolates.
    "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    # Width and joints: soft hyphen, zero width space, word joiner, byte order mark and the like; tags.
    "\u00ad\u034f\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    f"{_NO_CHARACTER}]"
)
_ENDS = str.maketrans("\u2028\u2029", "  ")
"""Ends of lines that few know."""


def visible(text: str) -> str:
    """The text as everybody sees it, in NFC: without what shows nothing and changes how the rest is shown.

    An override would let an approver read other words than phones and signs show; the rest is pasted
    along unseen. What joins letters of other scripts stays (U+200C, U+200D).
    """
    # NFC, because NFD doubles SMS units and renders wrong on screens.
    return unicodedata.normalize("NFC", _UNSEEN.sub("", text.translate(_ENDS))).strip()


def _clean(text: str) -> str:
    clean = visible(text)
    bad = [c for c in clean if unicodedata.category(c) in {"Cc", "Cs", "Co"} and c != "\n"]
    if bad:
        raise ValueError(f"control character U+{ord(bad[0]):04X} is not allowed")
    return clean


def _line(text: str) -> str:
    if "\n" in text:
        raise ValueError("must be a single line")
    return text


def _web(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname or not address.isprintable() or " " in address:
        raise ValueError("must be an absolute https address")
    return address


EARLIEST, LATEST = 1900, 2999
"""Years that an instant may lie in."""


def in_utc(instant: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError where there is none."""
    # Year 9999 west of Greenwich has no UTC; PostgreSQL would take it and give back what nobody can read.
    try:
        here = instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("is out of range") from None
    # Days are added to what people say; nothing here is about other ages of the world.
    if not EARLIEST <= here.year <= LATEST:
        raise ValueError("is out of range")
    return here


HOTLINE = "1022 nhánh 8"
"""Whom to ask where an alert names nobody: the branch of the city's hotline for such matters."""

Instant = Annotated[AwareDatetime, AfterValidator(in_utc)]
Clean = AfterValidator(_clean)
Headline = Annotated[str, Clean, AfterValidator(_line), StringConstraints(min_length=1, max_length=160)]
Description = Annotated[str, Clean, StringConstraints(min_length=1, max_length=2000)]
Instruction = Annotated[str, Clean, StringConstraints(min_length=1, max_length=1000)]
SignText = Annotated[str, Clean, AfterValidator(_line), StringConstraints(min_length=1, max_length=70)]
SmsText = Annotated[str, Clean, StringConstraints(min_length=1, max_length=459)]
Contact = Annotated[str, Clean, AfterValidator(_line), StringConstraints(min_length=1, max_length=200)]
Web = Annotated[str, AfterValidator(_web), StringConstraints(max_length=500)]
AreaCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,5}$")]
Incident = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}$")]
"""The name several alerts give the same occurrence (CAP 1.2 §3.2.1 incidents), without spaces."""
RiskLevel = Annotated[int, Field(ge=1, le=5)]


class Text(BaseModel):
    """One language of an alert (a CAP info block). `sign_text` and `sms_text` override what is derived."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    headline: Headline
    description: Description
    instruction: Instruction | None = None
    sign_text: SignText | None = None
    sms_text: SmsText | None = None


class Attachment(BaseModel):
    """A file that goes with an alert, kept by its digest (CAP 1.2 §3.2.3 resource)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    description: Headline
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]+$", max_length=80)]
    size: Annotated[int, Field(ge=1, le=5_000_000)]
    """Bytes."""


class Content(BaseModel):
    """What is said, how grave it is, where, and until when.

    `expires_at` absent means the category's usual lifetime from the moment of issue. `channels`
    absent means push and screens for a bulletin, and SMS too for an alert: an SMS costs money.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    category: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]
    severity: Severity
    urgency: Urgency
    certainty: Certainty
    risk_level: RiskLevel | None = None
    texts: Annotated[dict[Language, Text], Field(min_length=1, max_length=8)]
    areas: Annotated[tuple[AreaCode, ...], Field(min_length=1, max_length=700)]
    expires_at: Instant | None = None
    channels: tuple[Channel, ...] = ()
    mode: Annotated[Mode, Field(exclude_if=lambda mode: mode is Mode.ACTUAL)] = Mode.ACTUAL
    contact: Annotated[Contact | None, Field(exclude_if=absent)] = None
    """Whom to ask; the city's hotline where absent."""
    web: Annotated[Web | None, Field(exclude_if=absent)] = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=10, exclude_if=absent)] = ()
    incident: Annotated[Incident | None, Field(exclude_if=absent)] = None
    """What it is about, where other alerts are about the same: a phone gets the gravest of them."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if "vi" not in self.texts:
            raise ValueError("texts: Vietnamese (vi) is required")
        if len(set(self.areas)) != len(self.areas):
            raise ValueError("areas: an area is named twice")
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("channels: a channel is named twice")
        if len({each.sha256 for each in self.attachments}) != len(self.attachments):
            raise ValueError("attachments: a file is named twice")
        return self

    @property
    def reaches(self) -> tuple[Channel, ...]:
        """The channels this goes out on."""
        if self.channels:
            return self.channels
        if self.kind is Kind.ALERT:
            return (Channel.PUSH, Channel.SMS, Channel.LED)
        return (Channel.PUSH, Channel.LED)

    @property
    def lane(self) -> Lane:
        """Emergency is Extreme and Immediate; a bulletin waits for both other lanes."""
        if self.kind is Kind.BULLETIN:
            return Lane.BULLETIN
        if self.severity is Severity.EXTREME and self.urgency is Urgency.IMMEDIATE:
            return Lane.EMERGENCY
        return Lane.ALERT

    def text(self, language: str) -> Text:
        """The text in the language, or in Vietnamese where that language was not written."""
        return self.texts.get(language) or self.texts["vi"]

    @property
    def languages(self) -> tuple[Language, ...]:
        """What it is written in: Vietnamese first, then English, then the others by their tags."""
        return tuple(sorted(self.texts, key=lambda tag: (tag != "vi", tag != "en", tag)))

    def language(self, locale: str) -> Language:
        """What a reader of the locale is given: the most of his tag that was written (RFC 4647 §3.4).

        A tag is cut at its end until it is found: zh-TW, then zh. Vietnamese where none is.
        """
        parts = locale.replace("_", "-").split("-")
        written = {tag.lower(): tag for tag in self.texts}
        for end in range(len(parts), 0, -1):
            if (tag := "-".join(parts[:end]).lower()) in written:
                return written[tag]
        return "vi"
