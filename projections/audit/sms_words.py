"""What happened to SMS and their budgets, in words."""

from projections.audit.line import Words
from projections.audit.naming import Names
from schemas.dispatch import Fate
from schemas.events import (
    SmsBudgetExceeded,
    SmsBudgetReserved,
    SmsBudgetSet,
    SmsBudgetStopped,
    SmsDelivered,
    SmsEvent,
)

_FATES = {
    Fate.DELIVERED: Words("đã chuyển", "delivered"),
    Fate.FAILED: Words("không chuyển được", "failed"),
    Fate.EXPIRED: Words("quá hạn", "expired"),
}


def describe_sms(event: SmsEvent, say: Names) -> Words:
    """The event in words."""
    match event:
        case SmsDelivered(provider=provider, version=version, counts=counts):
            told = [(count, _FATES[fate]) for fate, count in counts.items()]
            words = Words(
                f"Mạng {provider} báo bản {version}: "
                + ", ".join(f"{count} {fate.vi}" for count, fate in told),
                f"{provider} on version {version}: "
                + ", ".join(f"{count} {fate.en}" for count, fate in told),
            )
        case SmsBudgetSet(segments=segments, vnd=vnd):
            body = say.body(event.issuer_id)
            bounds = [f"{segments} SMS"] * (segments is not None) + [f"{vnd} VND"] * (vnd is not None)
            words = Words(
                f"Hạn mức SMS mỗi ngày của {body}: " + (", ".join(bounds) or "không giới hạn"),
                f"SMS budget of {body} a day: " + (", ".join(bounds) or "no bound"),
            )
        case SmsBudgetReserved() | SmsBudgetExceeded() | SmsBudgetStopped():
            words = _order(event)
    return words


def _order(event: SmsBudgetReserved | SmsBudgetExceeded | SmsBudgetStopped) -> Words:
    take = f"{event.segments} SMS, {event.vnd} VND"
    who = f"{event.alert_id} v{event.version}"
    match event:
        case SmsBudgetReserved():
            return Words(
                f"Trong hạn mức SMS ngày {event.day}: {who} ({take})",
                f"Within the SMS budget of {event.day}: {who} ({take})",
            )
        case SmsBudgetExceeded():
            return Words(
                f"Cảnh báo vượt hạn mức SMS ngày {event.day}, vẫn gửi: {who} ({take})",
                f"An alert over the SMS budget of {event.day}, sent all the same: {who} ({take})",
            )
        case SmsBudgetStopped():
            return Words(
                f"Bản tin vượt hạn mức SMS ngày {event.day}, không gửi SMS: {who} ({take})",
                f"A bulletin over the SMS budget of {event.day}, not sent by SMS: {who} ({take})",
            )
