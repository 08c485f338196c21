"""What happened to screens, in words."""

from projections.audit.line import Words
from projections.audit.naming import Names
from projections.audit.screen_control_words import describe_control
from schemas.areas import FIRST_EDITION
from schemas.events import (
    ScreenCameOnline,
    ScreenContactEvent,
    ScreenControlEvent,
    ScreenEvent,
    ScreenIdentifyAsked,
    ScreenKeyRevoked,
    ScreenKeyRotated,
    ScreenMoved,
    ScreenRegistered,
    ScreenRemoved,
    ScreenRepaired,
    ScreenShowed,
    ScreenWentOffline,
)
from schemas.local_time import HANOI

_PROFILES = {
    "m96x32-1": Words("bảng LED nhỏ", "small LED sign"),
    "m128x64-1": Words("bảng LED vừa", "medium LED sign"),
    "m192x64-1": Words("bảng LED dài", "long LED sign"),
    "lcd1920": Words("màn hình lớn", "large screen"),
}
"""As the console names them."""


def describe_screen(event: ScreenEvent | ScreenContactEvent | ScreenControlEvent, say: Names) -> Words:
    """The event in words."""
    match event:
        case ScreenWentOffline() | ScreenCameOnline():
            words = _contact(event)
        case ScreenRepaired() | ScreenIdentifyAsked() | ScreenKeyRotated() | ScreenKeyRevoked():
            words = _box(event)
        case ScreenRegistered(name=name, profile=profile):
            area = say.area(event.area, event.edition or FIRST_EDITION)
            kind = _PROFILES.get(profile, Words(profile, profile))
            words = Words(
                f"Lắp màn hình {name} tại {area} ({kind.vi})", f"Put up screen {name} in {area} ({kind.en})"
            )
        case ScreenMoved(edition=edition):
            area = say.area(event.area, edition)
            words = Words(
                f"Màn hình thuộc địa bàn {area} theo danh mục {edition}",
                f"The screen stands in {area} under edition {edition}",
            )
        case ScreenRemoved():
            words = Words(
                "Gỡ màn hình, mọi khóa của nó hết hiệu lực", "Took the screen down; its keys ended"
            )
        case ScreenShowed(shown=shown):
            what = ", ".join(f"{one.alert_id} v{one.version}" for one in shown)
            named = say.things([one.alert_id for one in shown])
            words = Words(f"Màn hình đã hiện {what}{named.vi}", f"The screen showed {what}{named.en}")
        case _:
            words = describe_control(event, say)
    return words


def _box(event: ScreenRepaired | ScreenIdentifyAsked | ScreenKeyRotated | ScreenKeyRevoked) -> Words:
    match event:
        case ScreenRepaired():
            words = Words("Thay thiết bị của màn hình", "Gave the screen another box")
        case ScreenIdentifyAsked(until=until):
            when = f"{until.astimezone(HANOI):%H:%M:%S %d/%m/%Y}"
            words = Words(
                f"Yêu cầu màn hình tự nhận diện đến {when}", f"Asked the screen to identify until {when}"
            )
        case ScreenKeyRotated(key_id=key_id, former=former):
            words = Words(
                f"Màn hình đổi khóa {former} sang {key_id}", f"The screen changed key {former} for {key_id}"
            )
        case ScreenKeyRevoked():
            words = Words("Thu hồi mọi khóa của màn hình", "Revoked every key of the screen")
    return words


def _contact(event: ScreenContactEvent) -> Words:
    match event:
        case ScreenWentOffline(last_seen=last):
            when = f"{last.astimezone(HANOI):%H:%M %d/%m/%Y}"
            words = Words(f"Màn hình mất liên lạc từ {when}", f"The screen is silent since {when}")
        case ScreenCameOnline():
            words = Words("Màn hình liên lạc lại", "The screen is heard again")
    return words
