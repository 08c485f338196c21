"""What operators made of screens, in words."""

from projections.audit.line import Words
from projections.audit.naming import Names
from schemas.events import (
    AlertScreensExcluded,
    AlertScreensReadmitted,
    DisplaySetting,
    ScreenControlEvent,
    ScreenDescribed,
    ScreenDisplaySet,
    ScreenGroupChanged,
    ScreenGroupDisplaySet,
    ScreenGroupMade,
    ScreenGroupRetired,
    ScreenKind,
    ScreenPatternAsked,
)
from schemas.local_time import HANOI

_KINDS = {
    ScreenKind.STREET: Words("đường phố", "street"),
    ScreenKind.OFFICE: Words("trụ sở", "office"),
    ScreenKind.RESIDENTIAL: Words("khu dân cư", "residential"),
    ScreenKind.MALL: Words("trung tâm thương mại", "mall"),
}
_UNKNOWN = Words("chưa rõ", "not known")


def describe_control(event: ScreenControlEvent, say: Names) -> Words:
    """The event in words."""
    match event:
        case ScreenDescribed(kind=kind, latitude=latitude, longitude=longitude):
            at = _KINDS[kind] if kind else _UNKNOWN
            point = f" ({latitude}, {longitude})" if latitude is not None else ""
            words = Words(f"Ghi nơi đặt màn hình: {at.vi}{point}", f"Put down its place: {at.en}{point}")
        case ScreenDisplaySet(setting=setting):
            told = _setting(setting)
            words = Words(f"Đặt cho màn hình: {told.vi}", f"Set the screen: {told.en}")
        case ScreenPatternAsked(until=until):
            when = f"{until.astimezone(HANOI):%H:%M:%S %d/%m/%Y}"
            words = Words(
                f"Cho màn hình hiện hình thử đến {when}",
                f"Had the screen show its test pattern until {when}",
            )
        case AlertScreensExcluded() | AlertScreensReadmitted():
            words = _alert(event, say)
        case _:
            words = _group(event, say)
    return words


def _group(
    event: ScreenGroupMade | ScreenGroupChanged | ScreenGroupDisplaySet | ScreenGroupRetired, say: Names
) -> Words:
    match event:
        case ScreenGroupMade(name=name):
            words = Words(f"Lập nhóm màn hình {name}", f"Made the group of screens {name}")
        case ScreenGroupChanged(added=added, removed=removed):
            came, went = say.things(added), say.things(removed)
            words = Words(
                f"Nhóm màn hình: thêm {len(added)}{came.vi}, bớt {len(removed)}{went.vi}",
                f"Group of screens: {len(added)} added{came.en}, {len(removed)} removed{went.en}",
            )
        case ScreenGroupDisplaySet(setting=setting):
            told = _setting(setting)
            words = Words(f"Đặt cho nhóm màn hình: {told.vi}", f"Set the group of screens: {told.en}")
        case ScreenGroupRetired():
            words = Words("Bỏ nhóm màn hình", "Retired the group of screens")
    return words


def _alert(event: AlertScreensExcluded | AlertScreensReadmitted, say: Names) -> Words:
    of_screens, of_groups = say.things(event.screens), say.things(event.groups)
    vi = f"{len(event.screens)} màn hình{of_screens.vi} và {len(event.groups)} nhóm{of_groups.vi}"
    en = f"{len(event.screens)} screens{of_screens.en} and {len(event.groups)} groups{of_groups.en}"
    match event:
        case AlertScreensExcluded(reason=reason):
            return Words(
                f"Không hiện cảnh báo trên {vi}: {reason}",
                f"Left {en} out of the alert: {reason}",
            )
        case AlertScreensReadmitted():
            return Words(
                f"Hiện lại cảnh báo trên {vi}",
                f"Had {en} show the alert again",
            )


def _setting(setting: DisplaySetting) -> Words:
    vi: list[str] = []
    en: list[str] = []
    if setting.brightness is not None:
        vi.append(f"độ sáng {setting.brightness}%")
        en.append(f"brightness {setting.brightness}%")
    if setting.quiet_from is not None and setting.quiet_until is not None:
        hours = f"{setting.quiet_from:%H:%M}-{setting.quiet_until:%H:%M}"
        vi.append(f"giờ yên tĩnh {hours}")
        en.append(f"quiet hours {hours}")
    if setting.hides_emergencies:
        vi.append("ẩn cả tin khẩn trong giờ yên tĩnh")
        en.append("emergencies hidden in quiet hours")
    return Words(", ".join(vi) or "không đặt gì", ", ".join(en) or "nothing")
