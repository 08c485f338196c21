"""Refused commands in words: what was tried, and which rule said no.

The rule's code and the detail, in English, are what the log holds. A command or a rule of another
release stands as it is.
"""

from projections.audit.line import Words
from schemas.events import AttemptRefused

_COMMANDS = {
    "draft": "soạn cảnh báo",
    "revise": "sửa bản đang soạn",
    "submit": "trình duyệt",
    "return": "trả lại để sửa",
    "reject": "từ chối bản trình duyệt",
    "approve": "duyệt",
    "schedule": "hẹn giờ phát",
    "unschedule": "bỏ hẹn giờ phát",
    "issue": "phát",
    "update": "cập nhật cảnh báo",
    "correct": "đính chính",
    "cancel": "hủy cảnh báo",
    "expire": "ghi hết hiệu lực",
    "draft from template": "soạn theo mẫu",
    "draft nothing to report": "soạn bản tin không có gì mới",
    "save template": "lưu mẫu tin",
    "approve template": "duyệt mẫu tin",
    "retire template": "ngừng dùng mẫu tin",
    "save areas": "lưu địa bàn",
    "retire areas": "ngừng dùng địa bàn đã lưu",
    "keep file": "lưu tệp đính kèm",
    "ask invite": "mời người mới",
    "ask grant": "đề nghị thêm vai trò",
    "ask key": "đề nghị khóa API",
    "confirm invite": "xác nhận lời mời",
    "confirm grant": "xác nhận thêm vai trò",
    "confirm key": "xác nhận khóa API",
    "refuse invite": "từ chối lời mời",
    "refuse grant": "từ chối thêm vai trò",
    "refuse key": "từ chối khóa API",
    "revoke role": "bớt vai trò",
    "revoke key": "thu hồi khóa API",
    "delegate": "giao quyền phát tin",
    "revoke delegation": "thu hồi quyền đã giao",
    "set contacts": "đặt liên hệ của cơ quan",
    "set policy": "đặt quy định về bản tin",
    "set sms budget": "đặt ngân sách SMS",
    "set cadence policy": "đặt quy định nhịp đưa tin",
    "exempt from cadence": "miễn nhịp đưa tin",
    "end exemption": "kết thúc miễn nhịp đưa tin",
    "remind": "nhắc đưa tin",
    "register screen": "lắp màn hình",
    "claim screen": "ghép nối màn hình",
    "remove screen": "gỡ màn hình",
    "identify screen": "nháy màn hình để nhận biết",
    "describe screen": "ghi nơi đặt màn hình",
    "set screen": "đặt độ sáng, giờ yên tĩnh của màn hình",
    "test screen": "hiện hình thử trên màn hình",
    "revoke screen key": "thu hồi khóa của màn hình",
    "make screen group": "lập nhóm màn hình",
    "change screen group": "thay đổi nhóm màn hình",
    "set screen group": "đặt độ sáng, giờ yên tĩnh của nhóm màn hình",
    "retire screen group": "bỏ nhóm màn hình",
    "exclude screens": "loại trừ màn hình khỏi cảnh báo",
    "readmit screens": "hiện lại cảnh báo trên màn hình",
    "replay dead letter": "gửi lại tin không gửi được",
    "write off dead letter": "bỏ qua tin không gửi được",
    "add tester": "thêm người nhận thử",
    "remove tester": "bớt người nhận thử",
    "choose push route": "chọn cách gửi thông báo",
}

_RULES = {
    "role.missing": "tài khoản không có vai trò cần có",
    "body.not-yours": "tài khoản không thuộc cơ quan này",
    "jurisdiction.area": "có nơi ngoài địa bàn của cơ quan",
    "jurisdiction.field": "lĩnh vực không thuộc cơ quan",
    "approval.four-eyes": "phải có người khác duyệt",
    "body.closed": "cơ quan đã giải thể",
    "delegation.self": "cơ quan không giao quyền cho chính mình",
    "delegation.area": "chỉ giao được nơi thuộc địa bàn của cơ quan",
    "delegation.field": "chỉ giao được lĩnh vực của cơ quan",
    "delegation.dates": "thời hạn giao quyền không hợp lệ",
    "delegation.over": "quyền đã thu hồi hoặc đã hết hạn",
    "cadence.dates": "thời hạn không hợp lệ",
    "content.unknown-area": "có nơi không có trong danh mục địa bàn",
    "content.edition": "địa bàn viết theo danh mục cũ",
    "content.unknown-category": "không có lĩnh vực này",
    "content.risk-level": "cấp độ rủi ro thiên tai không đúng quy định",
    "content.expiry": "thời hạn hiệu lực không hợp lệ",
    "content.sign-text": "màn hình không hiện hết lời này",
    "content.display": "cài đặt màn hình không hợp lệ",
    "content.schedule": "giờ hẹn phát không hợp lệ",
    "content.mode": "không đúng chế độ thật hay diễn tập",
    "content.limit": "quá giới hạn cho phép",
    "content.template": "không khớp mẫu tin",
    "state.not-now": "không làm được ở tình trạng hiện tại",
    "state.exists": "đã có rồi",
}


def describe_refusal(event: AttemptRefused) -> Words:
    """What was refused, and why."""
    command = _COMMANDS.get(event.command, f"lệnh {event.command}")
    rule = _RULES.get(event.rule, event.rule)
    often = Words(f", {event.times} lần", f", {event.times} times") if event.times > 1 else Words("", "")
    return Words(
        f"Từ chối {command}: {rule} ({event.detail}){often.vi}",
        f"Refused to {event.command}: {event.detail} ({event.rule}){often.en}",
    )


def has_words(*, command: str = "", rule: str = "") -> bool:
    """Whether these are said in Vietnamese; what is empty is not asked."""
    return (not command or command in _COMMANDS) and (not rule or rule in _RULES)
