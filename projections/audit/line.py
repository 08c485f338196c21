"""The pieces every line of the audit is made of."""

from datetime import datetime
from typing import NamedTuple

from schemas.local_time import HANOI


class Words(NamedTuple):
    """One line in each language."""

    vi: str
    en: str


_ROLES = {"author": "soạn tin", "approver": "duyệt tin", "manager": "quản lý", "auditor": "kiểm tra"}
_CHANNELS = {"push": "thông báo trên điện thoại", "sms": "tin nhắn SMS", "led": "màn hình công cộng"}
_LANES = {"emergency": "khẩn cấp", "alert": "cảnh báo", "bulletin": "bản tin"}


def role_vi(role: str) -> str:
    """A role as the console names it; one of another release as it stands."""
    return _ROLES.get(role, role)


def channel_vi(channel: str) -> str:
    """A channel as the console names it."""
    return _CHANNELS.get(channel, channel)


def lane_vi(lane: str) -> str:
    """A lane as the console names it."""
    return _LANES.get(lane, lane)


def clock_vi(at: datetime) -> str:
    """An instant on Hanoi's clock, as Vietnamese is written."""
    return f"{at.astimezone(HANOI):%H:%M %d/%m/%Y}"


def day_vi(at: datetime) -> str:
    """A day of Hanoi's calendar, as Vietnamese is written."""
    return f"{at.astimezone(HANOI):%d/%m/%Y}"


def areas(count: int) -> str:
    """How many areas, in English."""
    return f"{count} {'area' if count == 1 else 'areas'}"
