"""SMS: a carrier's SMSC, or its mail relay."""

from collections.abc import Callable
from datetime import datetime

from broadcaster.providers import sandbox_endpoint
from broadcaster.settings import Settings
from channels.gateway import Gateway
from channels.sms import MailGateway, MailSettings, SmppSettings, SmsGateway


def gateway(settings: Settings, clock: Callable[[], datetime]) -> Gateway:
    """The carrier's gateway by SMPP or by mail, or its double's."""
    del clock
    if settings.sms_transport == "email":
        return MailGateway(_mail(settings))
    return SmsGateway(_smpp(settings))


def _smpp(settings: Settings) -> SmppSettings:
    if settings.providers == "sandbox":
        double = sandbox_endpoint(settings, "smsc")
        host, port = double["host"], double["port"]
        system_id, password = double["system_id"], double["password"]
        gone = frozenset[int](double["gone"])
    else:
        host, port = settings.smpp_host or "", settings.smpp_port
        system_id, password = settings.smpp_system_id, settings.smpp_password.get_secret_value()
        gone = frozenset[int]()
    return SmppSettings(
        host,
        port,
        system_id,
        password,
        settings.sms_brand,
        accented=settings.sms_accented,
        messages_per_second=settings.sms_rate,
        gone=gone,
    )


def _mail(settings: Settings) -> MailSettings:
    if settings.providers == "sandbox":
        double = sandbox_endpoint(settings, "smtp")
        host, port = double["host"], double["port"]
        username, password = double["system_id"], double["password"]
    else:
        host, port = settings.smtp_host or "", settings.smtp_port
        username, password = settings.smtp_username, settings.smtp_password.get_secret_value()
    return MailSettings(
        host,
        port,
        settings.sms_mail_domain,
        settings.mail_from,
        username=username,
        password=password,
        accented=settings.sms_accented,
    )
