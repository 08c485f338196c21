"""The carriers of a deployment with several, as the setting `sms_providers` lists them."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, model_validator

from channels.sms.brand import BRAND, BrandClass, Rules
from channels.sms.cost import Tariff

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,19}$")]


class SmsProvider(BaseModel):
    """One contract with one carrier."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    """In receipts and events, for ever: a new contract with the same carrier may keep it."""
    protocol: Literal["smpp", "email"] = "smpp"
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65_535)]
    system_id: str = ""
    password: SecretStr = SecretStr("")
    tls: bool = False
    brand: Annotated[str, Field(pattern=f"^{BRAND.pattern}$")] = "iHaNoi"
    brand_class: BrandClass = BrandClass.GOVERNMENT
    opening: Annotated[str, Field(max_length=40)] = ""
    banned: Annotated[str, Field(max_length=40)] = ""
    reserved: Annotated[int, Field(ge=0, le=100)] = 0
    weight: Annotated[float, Field(gt=0)] = 1.0
    price: Annotated[int, Field(ge=0)] = 0
    """VND for one short message."""
    rate: Annotated[float, Field(gt=0)] = 100.0
    """Short messages a second for one worker process, as sold."""
    in_flight: Annotated[int, Field(ge=1)] = 50
    accented: bool = False
    receipts: bool = True
    client_id: bool = True
    decimal_receipts: bool = False
    gone: frozenset[int] = frozenset()
    domain: str = ""
    """Of the mailboxes (email only)."""
    sender: str = ""
    """The sender's address (email only)."""

    @property
    def rules(self) -> Rules:
        """What the contract demands of a text."""
        return Rules(self.brand_class, self.opening, self.banned, self.reserved)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.protocol == "smpp" and not self.system_id:
            raise ValueError("system_id: smpp needs one")
        if self.protocol == "email" and not (self.domain and "@" in self.sender):
            raise ValueError("domain, sender: email needs both")
        return self


_LIST = TypeAdapter(list[SmsProvider])


def read_providers(text: str) -> tuple[SmsProvider, ...]:
    """The carriers; none for an empty text. Raises ValueError, which quotes nothing of the text."""
    if not text:
        return ()
    try:
        found = _LIST.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"sms_providers: {place}: {first['msg']}") from None
    if len({one.name for one in found}) != len(found):
        raise ValueError("sms_providers: each needs a name of its own")
    return tuple(found)


def tariffs_of(providers: SecretStr, price: int, *, accented: bool) -> tuple[Tariff, ...]:
    """What each carrier takes: those listed, or the only one."""
    listed = read_providers(providers.get_secret_value())
    return tuple(Tariff(one.price, one.accented, one.rules) for one in listed) or (Tariff(price, accented),)
