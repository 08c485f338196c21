"""Whether what is to be told fits on every screen: asked when it is submitted, not on the street."""

from broadcaster.rules import RefusedError, Rule
from channels.led.layout import SignTooLongError, check
from schemas.content import Channel, Content


def check_sign(content: Content | None) -> None:
    """Refuses a text that some screen cannot show whole. `/v1/preview/screen` shows why."""
    if content is None or Channel.LED not in content.reaches:
        return
    words = content.text("vi")
    field = "sign_text" if words.sign_text else "headline"
    try:
        check(words.sign_text or words.headline)
    except SignTooLongError as error:
        raise RefusedError(Rule.SIGN, f"content.texts.vi.{field}: {error}") from None
