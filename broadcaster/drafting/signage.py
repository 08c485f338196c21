"""Whether what is to be told fits on every screen: asked when it is submitted, not on the street."""

from broadcaster.rules import RefusedError, Rule
from channels.led.layout import SignTooLongError, check
from schemas.content import Channel, Content
from schemas.plain_text import unaccented_text

_NAMED = 12
"""Offending characters that are named."""


def check_sign(content: Content | None) -> None:
    """Refuses a text that some screen cannot show whole. `/v1/preview/screen` shows why."""
    if content is None or Channel.LED not in content.reaches:
        return
    words = content.text("vi")
    said = words.sign_text or words.headline
    field = "texts.vi.sign_text"
    if words.sign_text is None:
        field += ": none is given, and the headline"
    # Signs that know ASCII only leave out what has no form there, and our letters know no more.
    unshown = list(dict.fromkeys(each for each in said if not each.isspace() and not unaccented_text(each)))
    if unshown:
        named = " ".join(unshown[:_NAMED])
        raise RefusedError(Rule.SIGN, f"{field}: signs cannot show {named}")
    try:
        check(said)
    except SignTooLongError as error:
        raise RefusedError(Rule.SIGN, f"{field}: {error}") from None
