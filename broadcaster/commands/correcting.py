"""Putting a live alert right at once: by one person, in words that another approved beforehand."""

from datetime import datetime
from typing import Unpack
from uuid import UUID

from broadcaster.alert import Alert, PreApproval
from broadcaster.commands.alert_desk import How
from broadcaster.commands.sending import EITHER, AlertSending
from broadcaster.filling import fill
from broadcaster.lifecycle import Command
from broadcaster.office.shelf import shelves
from broadcaster.rules import RefusedError, Rule
from broadcaster.template import TemplateVersion
from channels.sms.segments import plain
from schemas.content import Content
from schemas.events import Actor, AlertEvent


class AlertCorrecting(AlertSending):
    """The correction, beside issue and schedule."""

    def correct(
        self, by: Actor, alert_id: UUID, template_id: UUID, *, at: datetime, **how: Unpack[How]
    ) -> Alert:
        """Sends the last approved version of a correcting template to everyone who got what is wrong.

        Only the words change: it goes as far and as fast as the error did. What else was in work gives
        way. Raises RefusedError, UnknownStreamError.
        """

        def decide(alert: Alert) -> tuple[AlertEvent, ...]:
            speaker = self._office.check(by, alert.issuer_id, EITHER, None, at)
            alert.check(Command.CORRECT)
            assert alert.issued is not None, "it is live"
            self._check_places(alert.issued.edition, at)
            text = self._text(speaker, template_id, at)
            content = _reworded(alert.issued.content, text)
            self._office.check_said(speaker, content, at)
            assert text.approved_by is not None, "it was asked for"
            approval = PreApproval(template_id, text.number, text.approved_by)
            return alert.correct(by, content, approval, **self._sending(speaker, alert.id, content, at))

        return self._change("correct", by, alert_id, decide, at=at, **how)

    def _check_places(self, edition: str, at: datetime) -> None:
        # The same people would have to be found by codes that may name other places now; who is told
        # instead is for someone to choose, and for a second one to approve.
        current = self._office.edition(at).name
        if edition != current:
            raise RefusedError(
                Rule.EDITION,
                f"areas: it went out by the codes of edition {edition}, and {current} is in force, so its "
                "areas cannot be kept as they are. Two ways put it right: an update that `corrects`, with "
                "its areas chosen anew, which another approves; or withdrawing it `in_error`, which one "
                "person may",
            )

    def _text(self, speaker: str, template_id: UUID, at: datetime) -> TemplateVersion:
        template = self._office.template(template_id)
        if template.issuer_id not in shelves(self._office, speaker, at):
            raise RefusedError(Rule.TEMPLATE, f"template: it is not of {speaker} nor of a body above it")
        if template.retired or template.approved is None:
            raise RefusedError(Rule.TEMPLATE, "template: it is retired, or no version of it was approved")
        if template.approved.purpose != "correction":
            raise RefusedError(Rule.TEMPLATE, "template: it is not for corrections")
        if template.approved.body.fields:
            raise RefusedError(
                Rule.TEMPLATE, "template: it has fields to fill; what was approved is sent word for word"
            )
        return template.approved


def _reworded(content: Content, text: TemplateVersion) -> Content:
    filled = fill(text.body, {}, areas=content.areas, expires_at=None, plain=plain, mode=content.mode)
    # Files belong to the words that were wrong.
    return content.model_copy(update={"texts": filled.texts, "attachments": ()})
