"""The shape of an FCM v1 request, as strict as FCM is about what we use."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

Data = dict[str, str]
Duration = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]{1,9})?s$")]
Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]+$")]
CollapseId = Annotated[str, StringConstraints(max_length=64)]
Priority = Annotated[str, StringConstraints(pattern=r"^(?i:high|normal)$")]
Address = Annotated[str, StringConstraints(min_length=1)]
Topic = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
Urgency = Annotated[str, StringConstraints(pattern=r"^(very-low|low|normal|high)$")]
MOST_BYTES = 4096
MOST_TO_TOPIC = 2048


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Notification(_Part):
    title: str | None = None
    body: str | None = None
    image: str | None = None


class _AndroidNotification(_Open):
    tag: str | None = None
    title: str | None = None
    body: str | None = None


class _Android(_Open):
    collapse_key: str | None = None
    priority: Priority | None = None
    ttl: Duration | None = None
    notification: _AndroidNotification | None = None


class _ApnsHeaders(_Open):
    collapse: CollapseId | None = Field(None, alias="apns-collapse-id")
    expiration: Digits | None = Field(None, alias="apns-expiration")
    priority: Digits | None = Field(None, alias="apns-priority")


class _Apns(_Open):
    headers: _ApnsHeaders | None = None


class _WebHeaders(_Open):
    ttl: Digits | None = Field(None, alias="TTL")
    urgency: Urgency | None = Field(None, alias="Urgency")
    topic: Topic | None = Field(None, alias="Topic")


class _Webpush(_Open):
    headers: _WebHeaders | None = None


class FcmMessage(_Part):
    """One message, for one address, a topic or a condition."""

    token: Address | None = None
    fid: Address | None = None
    topic: str | None = None
    condition: str | None = None
    notification: _Notification | None = None
    data: Data = {}
    android: _Android | None = None
    apns: _Apns | None = None
    webpush: _Webpush | None = None
    fcm_options: _Open | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        targets = (self.token, self.fid, self.topic, self.condition)
        if sum(target is not None for target in targets) != 1:
            raise ValueError("Recipient of the message is not set.")
        return self

    @property
    def address(self) -> str:
        """Whom it is for."""
        return self.token or self.fid or self.topic or self.condition or ""


class FcmRequest(_Part):
    """The body of messages:send."""

    message: FcmMessage
    validate_only: bool = False


class ShapeError(ValueError):
    """FCM would not take it; `field` is the first that is wrong, empty where none is."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(rule)
        self.field = field


def parsed(body: bytes) -> FcmRequest:
    """The request. Raises ShapeError."""
    try:
        request = FcmRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise ShapeError(".".join(str(step) for step in first["loc"]), first["msg"]) from None
    most = MOST_TO_TOPIC if request.message.topic else MOST_BYTES
    if len(body) - len(request.message.address) > most:
        # FCM names no field here.
        raise ShapeError("", "Request contains an invalid argument.")
    return request
