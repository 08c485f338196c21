"""What opens an account, in words: whose was changed. Who changed it stands beside the line."""

from projections.audit.line import Words
from schemas.events import (
    AccountClosed,
    AccountInvited,
    AccountLinked,
    AccountOpened,
    AccountUnlinked,
    CredentialEvent,
    PasswordChanged,
    RecoveryCodesRenewed,
    RecoveryCodeUsed,
    SecondFactorChanged,
)


def describe_credential(event: CredentialEvent) -> Words:
    """The event in words."""
    whose = event.account
    match event:
        case AccountInvited():
            words = Words(f"Mời {whose}", f"Invited {whose}")
        case AccountOpened():
            words = Words(
                f"Nhận lời mời, đặt mật khẩu và ứng dụng xác thực của {whose}",
                f"Took the invitation and set the password and the authenticator of {whose}",
            )
        case PasswordChanged():
            words = Words(f"Đổi mật khẩu của {whose}", f"Changed the password of {whose}")
        case SecondFactorChanged():
            words = Words(f"Đổi ứng dụng xác thực của {whose}", f"Changed the authenticator of {whose}")
        case RecoveryCodesRenewed(count=count):
            words = Words(
                f"Tạo {count} mã dự phòng mới của {whose}, các mã cũ hết hiệu lực",
                f"Made {count} new recovery codes of {whose}; the former ones ended",
            )
        case RecoveryCodeUsed(left=left):
            words = Words(
                f"Đăng nhập {whose} bằng một mã dự phòng, còn {left} mã",
                f"Signed in as {whose} with a recovery code; {left} left",
            )
        case AccountLinked(provider=provider):
            words = Words(f"Liên kết {whose} với {provider}", f"Linked {whose} to {provider}")
        case AccountUnlinked(provider=provider):
            words = Words(f"Bỏ liên kết {whose} với {provider}", f"Unlinked {whose} from {provider}")
        case AccountClosed():
            words = Words(f"Đóng tài khoản {whose}", f"Closed the account {whose}")
    return words
