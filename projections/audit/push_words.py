"""What happened to push, in words."""

from projections.audit.line import Words
from schemas.events import PushEvent, PushRouteChosen, PushTopicsHalted, Route

_ROUTES: dict[Route, Words] = {
    "tokens": Words("tới từng máy", "to each phone by its token"),
    "topics": Words("theo chủ đề", "by topics"),
}


def describe_push(event: PushEvent) -> Words:
    """The event in words."""
    match event:
        case PushRouteChosen(route=route, reason=reason):
            way = _ROUTES[route]
            return Words(
                f"Từ đây cảnh báo khẩn cấp gửi {way.vi}: {reason}",
                f"From here on emergencies are pushed {way.en}: {reason}",
            )
        case PushTopicsHalted(reason=reason):
            return Words(
                f"Google từ chối cập nhật chủ đề: {reason}", f"Google refuses to keep topics: {reason}"
            )
