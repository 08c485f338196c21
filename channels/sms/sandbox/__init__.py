"""The carrier's side on loopback: an SMSC (SMPP 3.4) and a mail relay (SMTP) that count what they take."""

import asyncio
from pathlib import Path

from channels.sms.sandbox.behaviour import Behaviour
from channels.sms.sandbox.house import Endpoint, Sandbox, read_endpoint
from channels.sms.sandbox.smsc import SmscSandbox
from channels.sms.sandbox.smtp import DOMAIN, SmtpSandbox

__all__ = [
    "DOMAIN",
    "Behaviour",
    "Endpoint",
    "Sandbox",
    "SmscSandbox",
    "SmtpSandbox",
    "read_endpoint",
    "run",
]


async def run(folder: Path) -> None:
    """Runs both until cancelled: the SMSC in folder/smsc, the relay in folder/smtp."""
    async with asyncio.TaskGroup() as both:
        both.create_task(SmscSandbox(folder / "smsc").serve())
        both.create_task(SmtpSandbox(folder / "smtp").serve())
