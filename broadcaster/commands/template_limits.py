"""What a correction must hold to before it is approved, for once it is needed nobody is asked again."""

from datetime import datetime

from broadcaster.drafting.limits import Limits
from broadcaster.drafting.signage import check_sign
from broadcaster.filling import fill
from broadcaster.office import Office
from broadcaster.rules import RefusedError
from broadcaster.template import Template
from channels.gateway import Message
from channels.sms.segments import plain
from schemas.content import Channel, MsgType


def check_correction(office: Office, limits: Limits, template: Template, at: datetime) -> None:
    """Refuses the latest version of a correction whose texts break a limit of any channel.

    They are measured as they would be sent: as an update, on every channel, for the error may have gone
    out on each. One with gaps is never sent as it stands: what is drafted from it is asked at its submit.
    """
    text = template.latest
    if text.purpose != "correction" or text.body.fields:
        return
    body = office.body(template.issuer_id, at)
    try:
        filled = fill(text.body, {}, areas=(body.area,), expires_at=None, plain=plain)
        content = filled.model_copy(update={"channels": tuple(Channel)})
        message = Message(
            alert_id=template.id,
            version=text.number,
            msg_type=MsgType.UPDATE,
            lane=content.lane,
            issuer_name=body.name,
            content=content,
            sent=at,
            expires_at=at,
        )
        limits.check_texts(message)
        check_sign(content)
    except RefusedError as refusal:
        raise RefusedError(refusal.rule, f"body.{refusal.detail}") from None
