"""What was sent and what came of it, in words."""

from projections.audit.line import Words
from schemas.dispatch import Outcome, Receipt
from schemas.events import (
    AudienceFrozen,
    CanaryLate,
    CanarySent,
    DeadLetterReplayed,
    DeadLetterWrittenOff,
    DeliveryEvent,
    ReceiptRecorded,
    SubscribersImported,
    TestersChanged,
)

_OUTCOMES = {
    Outcome.ACCEPTED: Words("đã nhận", "accepted"),
    Outcome.GONE: Words("không còn", "gone"),
    Outcome.REFUSED: Words("bị từ chối", "refused"),
    Outcome.DEFERRED: Words("hoãn lại", "deferred"),
    Outcome.DEAD: Words("thất bại", "dead"),
    Outcome.EXPIRED: Words("quá hạn", "expired"),
    Outcome.SUPERSEDED: Words("đã có bản mới", "superseded"),
}


def describe_delivery(event: DeliveryEvent) -> Words:
    """The event in words."""
    match event:
        case AudienceFrozen(version=version, channel=channel, count=count) if event.wave:
            words = Words(
                f"Chốt thêm {count} người nhận phiên bản {version} qua {channel}: cảnh báo nặng hơn đã rút",
                f"Fixed {count} more recipients of version {version} by {channel}: a graver one is gone",
            )
        case AudienceFrozen(version=version, channel=channel, count=count):
            words = Words(
                f"Chốt {count} người nhận phiên bản {version} qua {channel}",
                f"Fixed {count} recipients of version {version} by {channel}",
            )
        case ReceiptRecorded(receipt=receipt):
            words = _receipt(receipt)
        case DeadLetterReplayed(dispatch=order, reason=reason):
            words = Words(
                f"Gửi lại cho {len(order.ranks)} người nhận chưa gửi được qua {order.channel}: {reason}",
                f"Replayed a dead letter of {len(order.ranks)} recipients by {order.channel}: {reason}",
            )
        case DeadLetterWrittenOff(channel=channel, count=count, reason=reason):
            words = Words(
                f"Thôi gửi cho {count} người nhận chưa gửi được qua {channel}: {reason}",
                f"Wrote off a dead letter of {count} recipients by {channel}: {reason}",
            )
        case CanarySent(lane=lane, channels=channels):
            roads = ", ".join(channels)
            words = Words(f"Gửi tin kiểm tra {lane} qua {roads}", f"Sent a test item on {lane} by {roads}")
        case CanaryLate(lane=lane, channel=channel, number=number):
            words = Words(
                f"Tin kiểm tra {number} trên {lane} qua {channel} bị trễ hoặc mất",
                f"Test item {number} on {lane} by {channel} is late or lost",
            )
        case SubscribersImported(accepted=accepted, rejected=rejected):
            words = Words(
                f"Nạp người nhận: {accepted} hợp lệ, {rejected} bị loại",
                f"Imported subscribers: {accepted} taken, {rejected} rejected",
            )
        case TestersChanged(area=area, added=added, removed=removed):
            words = Words(
                f"Người tham gia thử tại {area}: thêm {added}, bớt {removed}",
                f"Testers of {area}: {added} added, {removed} removed",
            )
    return words


def _receipt(receipt: Receipt) -> Words:
    dispatch = receipt.dispatch
    place = (
        f"{dispatch.channel} v{dispatch.version} [{dispatch.first}, {dispatch.last}) #{dispatch.attempt}"
    )
    counts = [
        (receipt.counts[outcome], words)
        for outcome, words in _OUTCOMES.items()
        if outcome in receipt.counts
    ]
    return Words(
        f"Kết quả gửi {place}: " + ", ".join(f"{count} {words.vi}" for count, words in counts),
        f"Receipt of {place}: " + ", ".join(f"{count} {words.en}" for count, words in counts),
    )
