"""What citizens will see, rendered by the channels' own code."""

import json
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from broadcaster.web.console.writing import Typed
from channels.gateway import Message
from channels.led.layout import MAX_PAGES, lay_out
from channels.push import render as push
from channels.sms import segments
from channels.sms.render import render as render_sms
from schemas.content import (
    Certainty,
    Channel,
    Content,
    Kind,
    Mode,
    MsgType,
    Severity,
    Text,
    Urgency,
    visible,
)
from schemas.displays import DISPLAYS

_NOBODY = UUID(int=0)
_A_DAY = timedelta(days=1)
_SCREENS = ("m96x32-1", "m128x64-1", "m192x64-1", "lcd1920")


@dataclass(frozen=True)
class Phone:
    """A notification."""

    lang: str
    title: str
    body: str


@dataclass(frozen=True)
class Sms:
    """A short message, in one of its two spellings."""

    accented: bool
    text: str
    encoding: str
    units: int
    parts: int
    costly: tuple[str, ...]
    """Characters beyond GSM-7, other than letters with marks: a keyboard's own would cost less."""


@dataclass(frozen=True)
class Screen:
    """The pages of a display."""

    name: str
    pages: tuple[tuple[str, ...], ...]
    """Each by its lines."""
    picture: str
    """Where its frames are drawn."""
    whole: bool
    """Whether all of the text is shown."""


@dataclass(frozen=True)
class Previews:
    """Every channel that the alert goes out on."""

    phones: tuple[Phone, ...]
    messages: tuple[Sms, ...]
    screens: tuple[Screen, ...]
    level: int | None


def of_typed(what: Typed, issuer_name: str, msg_type: MsgType, at: datetime) -> Previews:
    """Of a form that may be half filled in."""
    headline, description = _clean(what["headline"]) or "...", _clean(what["description"])
    texts = {"vi": _text(what, "", headline, description)}
    if what["headline_en"].strip():
        texts["en"] = _text(what, "_en", _clean(what["headline_en"]), _clean(what["description_en"]))
    channels = [channel for channel in Channel if channel.value in what.all("channels")]
    content = Content.model_construct(
        kind=Kind.BULLETIN if what["kind"] == Kind.BULLETIN else Kind.ALERT,
        category="x",
        severity=_of(Severity, what["severity"], Severity.UNKNOWN),
        urgency=_of(Urgency, what["urgency"], Urgency.UNKNOWN),
        certainty=_of(Certainty, what["certainty"], Certainty.UNKNOWN),
        risk_level=int(what["risk_level"]) if what["risk_level"] in set("12345") else None,
        texts=texts,
        areas=("00",),
        expires_at=None,
        channels=tuple(channels),
        mode=_of(Mode, what["mode"], Mode.ACTUAL),
        contact=None,
        web=None,
        attachments=(),
    )
    return of_content(content, issuer_name, msg_type, at)


def of_content(
    content: Content, issuer_name: str, msg_type: MsgType, at: datetime, reason: str = ""
) -> Previews:
    """Of a whole content; `reason` is that of a withdrawal."""
    message = Message(
        alert_id=_NOBODY,
        version=1,
        msg_type=msg_type,
        lane=content.lane,
        issuer_name=issuer_name,
        content=content,
        sent=at,
        expires_at=content.expires_at or at + _A_DAY,
        reason=reason,
    )
    reaches = content.reaches
    languages = [language for language in ("vi", "en") if language in content.texts]
    is_cancel = msg_type is MsgType.CANCEL
    return Previews(
        phones=tuple(_phone(message, each, at) for each in languages) if Channel.PUSH in reaches else (),
        messages=(_sms(message, True), _sms(message, False)) if Channel.SMS in reaches else (),
        # A withdrawn notice leaves the screens; nothing is shown in its place.
        screens=tuple(_screen(content, name) for name in _SCREENS)
        if Channel.LED in reaches and not is_cancel
        else (),
        level=content.risk_level,
    )


def _of(kind: type, value: str, otherwise: object) -> object:
    try:
        return kind(value)
    except ValueError:
        return otherwise


def _text(what: Typed, suffix: str, headline: str, description: str) -> Text:
    def more(name: str) -> str | None:
        return _clean(what[f"{name}{suffix}"]) or None

    return Text.model_construct(
        headline=headline,
        description=description,
        instruction=more("instruction"),
        sign_text=more("sign_text"),
        sms_text=more("sms_text"),
    )


def _clean(text: str) -> str:
    return "".join(
        c for c in visible(text) if c == "\n" or unicodedata.category(c) not in {"Cc", "Cs", "Co"}
    )


def _phone(message: Message, language: str, at: datetime) -> Phone:
    body = push.render(message, language, at).body("token", "-")
    shown = json.loads(body)["message"]["notification"]
    return Phone(language, shown["title"], shown.get("body", ""))


def _sms(message: Message, accented: bool) -> Sms:
    text = render_sms(message, "vi", accented)
    cost = segments.count(text)
    odd = tuple(c for c in segments.costly(text) if not (c.isalpha() or unicodedata.combining(c)))
    return Sms(
        accented,
        text,
        "UCS-2" if cost.encoding is segments.Encoding.UCS2 else "GSM-7",
        cost.units,
        cost.parts,
        odd,
    )


def _screen(content: Content, name: str) -> Screen:
    words = content.text("vi")
    text = words.sign_text or words.headline
    layout = lay_out(text, DISPLAYS[name], content.mode, whole=True)
    asked = {"text": text, "profile": name, "severity": content.severity.value, "mode": content.mode.value}
    picture = f"/console/sign.png?{urlencode(asked)}"
    return Screen(name, layout.pages[:MAX_PAGES], picture, len(layout.pages) <= MAX_PAGES)


assert set(_SCREENS) <= DISPLAYS.keys()
