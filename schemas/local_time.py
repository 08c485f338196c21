"""The city's clock on the wall: days and hours that people see are its own, instants are UTC."""

from zoneinfo import ZoneInfo

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
