"""What was sent and what came of it, in words."""

from functools import lru_cache

from projections.audit.line import Words, channel_vi, lane_vi
from projections.audit.naming import Names
from schemas.dispatch import Outcome, Receipt
from schemas.events import (
    AudienceFrozen,
    CanaryLate,
    CanarySent,
    DeadLetterReplayed,
    DeadLetterWrittenOff,
    DeliveryEvent,
    HouseRestored,
    ReceiptRecorded,
    SubscribersImported,
    TestersChanged,
)

_OUTCOMES = {
    Outcome.ACCEPTED: Words("đã gửi", "accepted"),
    Outcome.GONE: Words("không còn dùng", "gone"),
    Outcome.REFUSED: Words("bị từ chối", "refused"),
    Outcome.DEFERRED: Words("hoãn gửi", "deferred"),
    Outcome.DEAD: Words("không gửi được", "dead"),
    Outcome.EXPIRED: Words("hết hạn", "expired"),
    Outcome.SUPERSEDED: Words("đã có bản mới", "superseded"),
}


def describe_delivery(event: DeliveryEvent, say: Names) -> Words:
    """The event in words."""
    match event:
        case ReceiptRecorded(receipt=receipt):
            words = _receipt(receipt)
        case AudienceFrozen():
            words = _frozen(event)
        case DeadLetterReplayed(dispatch=order, reason=reason):
            words = Words(
                f"Gửi lại cho {len(order.ranks)} người nhận chưa gửi được qua "
                f"{channel_vi(order.channel)}: {reason}",
                f"Replayed a dead letter of {len(order.ranks)} recipients by {order.channel}: {reason}",
            )
        case DeadLetterWrittenOff(channel=channel, count=count, reason=reason):
            words = Words(
                f"Thôi gửi cho {count} người nhận chưa gửi được qua {channel_vi(channel)}: {reason}",
                f"Wrote off a dead letter of {count} recipients by {channel}: {reason}",
            )
        case CanarySent(lane=lane, channels=channels):
            roads = ", ".join(channels)
            named = ", ".join(channel_vi(each) for each in channels)
            words = Words(
                f"Gửi tin thử làn {lane_vi(lane)} qua {named}", f"Sent a test item on {lane} by {roads}"
            )
        case CanaryLate(lane=lane, channel=channel, number=number):
            words = Words(
                f"Tin thử {number} làn {lane_vi(lane)} qua {channel_vi(channel)} bị trễ hoặc mất",
                f"Test item {number} on {lane} by {channel} is late or lost",
            )
        case SubscribersImported(accepted=accepted, rejected=rejected):
            words = Words(
                f"Nạp người nhận: {accepted} hợp lệ, {rejected} bị loại",
                f"Imported subscribers: {accepted} taken, {rejected} rejected",
            )
        case TestersChanged(added=added, removed=removed):
            area = say.area(event.area, event.edition)
            words = Words(
                f"Người tham gia thử tại {area}: thêm {added}, bớt {removed}",
                f"Testers of {area}: {added} added, {removed} removed",
            )
        case HouseRestored(recipients=recipients, reason=reason):
            words = Words(
                f"Khôi phục từ bản sao cũ, {recipients} người nhận SMS tạm dừng chờ quyết định: {reason}",
                f"Restored from an older copy, {recipients} recipients by SMS await a decision: {reason}",
            )
    return words


def _frozen(event: AudienceFrozen) -> Words:
    count, version, channel = event.count, event.version, event.channel
    if event.topics:
        return Words(
            f"Chốt {count} người nhận bản {version} theo {len(event.topics)} chủ đề",
            f"Fixed {count} recipients of version {version} by {len(event.topics)} topics",
        )
    if event.instead_of:
        return Words(
            f"Chủ đề {event.instead_of} không gửi được, {count} người nhận chuyển sang gửi từng máy",
            f"Topic {event.instead_of} was given up: its {count} recipients get theirs by token",
        )
    if event.wave:
        return Words(
            f"Chốt thêm {count} người nhận bản {version} qua {channel_vi(channel)}: "
            "cảnh báo cấp cao hơn đã hủy",
            f"Fixed {count} more recipients of version {version} by {channel}: a graver one is gone",
        )
    return Words(
        f"Chốt {count} người nhận bản {version} qua {channel_vi(channel)}",
        f"Fixed {count} recipients of version {version} by {channel}",
    )


def _receipt(receipt: Receipt) -> Words:
    dispatch = receipt.dispatch
    place = (
        f"{dispatch.channel} v{dispatch.version} [{dispatch.first}, {dispatch.last}) #{dispatch.attempt}"
    )
    counts = _counted(tuple(receipt.counts.items()))
    return Words(f"Kết quả gửi {place}: {counts.vi}", f"Receipt of {place}: {counts.en}")


# Of most dispatches all were accepted, of a whole slice: the same words again and again.
@lru_cache(maxsize=1000)
def _counted(counts: tuple[tuple[Outcome, int], ...]) -> Words:
    given = dict(counts)
    said = [(given[outcome], words) for outcome, words in _OUTCOMES.items() if outcome in given]
    return Words(
        ", ".join(f"{count} {words.vi}" for count, words in said),
        ", ".join(f"{count} {words.en}" for count, words in said),
    )
