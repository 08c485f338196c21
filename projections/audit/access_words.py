"""Who gets in, in words."""

from projections.audit.line import Words, role_vi
from projections.audit.naming import Names
from schemas.events import (
    AccessAsked,
    AccessConfirmed,
    AccessEvent,
    AccessLapsed,
    AccessRefused,
    EntryEvent,
    KeyEnd,
    KeyEnded,
    KeyMade,
    KeyRevoked,
)

_ENDS: dict[KeyEnd, Words] = {
    "expired": Words("quá hạn dùng chung với khóa mới", "its overlap with the next one was over"),
    "superseded": Words("khóa mới đã được dùng", "the next one is in use"),
    "unused": Words("khóa khác được cấp thay", "another was made in its place"),
}
_WISHES = {
    "invite": Words("lời mời", "the invitation"),
    "grant": Words("thêm quyền", "the role"),
    "key": Words("khóa API", "the API key"),
}


def describe_access(event: EntryEvent, say: Names) -> Words:
    """The event in words."""
    match event:
        case KeyMade(key_id=key_id, account=account):
            return Words(f"Cấp khóa API {key_id} cho {account}", f"Made the API key {key_id} for {account}")
        case KeyRevoked(key_id=key_id, account=account):
            return Words(
                f"Hủy khóa API {key_id} của {account}", f"Revoked the API key {key_id} of {account}"
            )
        case KeyEnded(key_id=key_id, account=account, cause=cause):
            why = _ENDS[cause]
            return Words(
                f"Khóa API {key_id} của {account} hết hiệu lực: {why.vi}",
                f"The API key {key_id} of {account} ended: {why.en}",
            )
        case AccessAsked():
            told = Words("Đề nghị", "Asked for")
        case AccessConfirmed():
            told = Words("Xác nhận", "Confirmed")
        case AccessRefused():
            told = Words("Từ chối hoặc rút", "Refused or withdrew")
        case AccessLapsed():
            told = Words("Quá hạn xác nhận", "No one confirmed in time:")
    what = _what(event, say)
    return Words(f"{told.vi} {what.vi}", f"{told.en} {what.en}")


def _what(event: AccessEvent, say: Names) -> Words:
    wish, body = _WISHES[event.wish], say.body(event.body)
    return Words(
        f"{wish.vi}: {event.account}, {role_vi(event.role)} của {body}",
        f"{wish.en}: {event.account}, {event.role} of {body}",
    )
