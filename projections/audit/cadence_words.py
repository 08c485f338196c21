"""What happened to the duty to inform regularly, in words."""

from projections.audit.line import Words, clock_vi
from projections.audit.naming import Names
from schemas.events import (
    CadenceEvent,
    CadenceExempted,
    CadenceExemptionEnded,
    CadencePolicySet,
    Notice,
    ReminderDue,
    ReminderEvent,
    ReminderSent,
)
from schemas.local_time import HANOI

_NOTICES = {
    Notice.DAY_BEFORE: Words("nhắc trước 24 giờ", "a day before"),
    Notice.HOURS_BEFORE: Words("nhắc trước 6 giờ", "six hours before"),
    Notice.OVERDUE: Words("quá hạn", "overdue"),
    Notice.ESCALATED: Words("quá hạn thêm một ngày", "overdue for another day"),
    Notice.DIGEST: Words("tổng hợp trong ngày", "digest of the day"),
    Notice.ASKED: Words("cấp trên nhắc", "asked by who watches over it"),
}


def describe_cadence(event: CadenceEvent, say: Names) -> Words:
    """The event in words."""
    match event:
        case CadencePolicySet(policy=policy, effective_at=since, reason=reason):
            start, days = f"{since.astimezone(HANOI):%Y-%m-%d %H:%M}", policy.interval_days
            return Words(
                f"Quy định nhịp đưa tin từ {clock_vi(since)}: {days} ngày ({policy.reading}); {reason}",
                f"Cadence policy from {start}: {days} days ({policy.reading}); {reason}",
            )
        case CadenceExempted(issuer_id=body, reason=reason, starts_at=starts_at, ends_at=ends_at):
            named = say.body(body)
            start = f"{starts_at.astimezone(HANOI):%Y-%m-%d %H:%M}"
            end = f"{ends_at.astimezone(HANOI):%Y-%m-%d %H:%M}" if ends_at else "…"
            term = f"{clock_vi(starts_at)} - {clock_vi(ends_at) if ends_at else '…'}"
            return Words(
                f"Miễn nhịp đưa tin cho {named}, {term}: {reason}",
                f"Exempted {named} from the cadence, {start} - {end}: {reason}",
            )
        case CadenceExemptionEnded(issuer_id=body, ends_at=ends_at):
            end = f"{ends_at.astimezone(HANOI):%Y-%m-%d %H:%M}"
            return Words(
                f"Việc miễn nhịp đưa tin cho {say.body(body)} kết thúc lúc {clock_vi(ends_at)}",
                f"The exemption of {say.body(body)} from the cadence ends at {end}",
            )


def describe_reminder(event: ReminderEvent, say: Names) -> Words:
    """The event in words."""
    match event:
        case ReminderDue(notice=notice):
            what, recipient = _NOTICES[notice], say.body(event.recipient)
            about = event.about and say.body(event.about)
            return Words(
                f"Cần báo cho {recipient}: {what.vi}" + (f" ({about})" if about else ""),
                f"To tell {recipient}: {what.en}" + (f" ({about})" if about else ""),
            )
        case ReminderSent(outcome=outcome, recipients=recipients):
            return Words(
                f"Thông báo nhịp đưa tin: {outcome}, {recipients} địa chỉ",
                f"Notice of the cadence: {outcome}, {recipients} addresses",
            )
