"""Phones without the app: one alert as SMS, over SMPP or through a mail relay."""

from channels.sms.client import SmsGateway
from channels.sms.mail import MailGateway
from channels.sms.pool import Member, SmsPool
from channels.sms.render import MOST_PARTS, render
from channels.sms.segments import Encoding, Segments, costly, count, plain
from channels.sms.settings import MailSettings, SmppSettings

__all__ = [
    "MOST_PARTS",
    "Encoding",
    "MailGateway",
    "MailSettings",
    "Member",
    "Segments",
    "SmppSettings",
    "SmsGateway",
    "SmsPool",
    "costly",
    "count",
    "plain",
    "render",
]
