"""What a subscriber may say: an address, a home among the leaves, a few choices. No I/O.

Nothing here prints an address: neither a repr nor an error's text holds a token or a number.
"""

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Annotated, Literal, NamedTuple, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from broadcaster.reference import categories
from schemas.areas import AreaTree
from schemas.content import Language
from schemas.web_push import KIND as WEB_PUSH
from schemas.web_push import SubscriptionError, parsed

MAX_AREAS = 20
PHONE_RULE = (
    "must be a Vietnamese mobile number: 0, 84 or +84, then 9 digits of which the first is 3, 5, 7, 8 or 9"
)
NUMBER_RULE = "is registered already; only the device that registered it can change that, or the operator"
TOKEN_RULE = "must be 1 to 4096 visible ASCII characters"  # noqa: S105 (a rule about tokens)
ADDRESS_RULE = "a token or a phone is required"
KIND_RULE = "of a subscription must be web"
PLATFORM_RULE = "goes with a token: android, ios or web"

TokenKind = Literal["token", "fid", "subscription"]
Platform = Literal["android", "ios", "web"]

_PHONE = re.compile(r"(?:\+84|84|0)([35789][0-9]{8})")
_BETWEEN_DIGITS = str.maketrans("", "", " .-()")
_TOKEN = re.compile(r"[!-~]{1,4096}")


class InvalidSubscriberError(ValueError):
    """A field breaks a rule. The value is not in the text: it may be personal."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field, self.rule = field, rule


def phone_number(text: str) -> str:
    """The number in E.164, +84 and nine digits. Blanks, dots, dashes and brackets are let pass.

    Raises ValueError.
    """
    match = _PHONE.fullmatch(text.translate(_BETWEEN_DIGITS))
    if match is None:
        raise ValueError(PHONE_RULE)
    return f"+84{match[1]}"


def push_token(text: str) -> str:
    """The token as it came. Raises ValueError."""
    if _TOKEN.fullmatch(text) is None:
        raise ValueError(TOKEN_RULE)
    return text


def broken_rule(error: ValidationError) -> InvalidSubscriberError:
    """The first rule that a form broke, in the words of this module."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    rule = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:  # a rule about several fields names them itself
        fields, _, rule = rule.partition(": ")
        return InvalidSubscriberError(fields, rule)
    return InvalidSubscriberError(str(first["loc"][0]), rule)


def check_push_address(token: str, kind: str, platform: str) -> None:
    """Raises InvalidSubscriberError where the three are no address of a phone.

    The database must not be the one to find out: its error would show the whole row.
    """
    if _TOKEN.fullmatch(token) is None:
        raise InvalidSubscriberError("token", TOKEN_RULE)
    if kind not in get_args(TokenKind):
        raise InvalidSubscriberError("token_kind", f"must be one of {', '.join(get_args(TokenKind))}")
    if platform not in get_args(Platform):
        raise InvalidSubscriberError("platform", PLATFORM_RULE)
    try:
        check_subscription(token, kind, platform)
    except ValueError as error:
        field, _, rule = str(error).partition(": ")
        raise InvalidSubscriberError(field, rule) from None


def check_subscription(token: str, kind: str, platform: str | None) -> None:
    """Raises ValueError where the token should be a browser's subscription and is none."""
    if kind != WEB_PUSH:
        return
    if platform != "web":
        raise ValueError(f"platform: {KIND_RULE}")
    try:
        parsed(token)
    except SubscriptionError as error:
        raise ValueError(f"token: {error}") from None


def address_hash(address: str) -> bytes:
    """The 16 bytes by which the registry finds an address, whatever its length."""
    return blake2b(address.encode(), digest_size=16).digest()


def known_categories(codes: Iterable[str]) -> tuple[str, ...]:
    """The codes, sorted, each once. Raises ValueError for one that is no category."""
    found: set[str] = set()
    for number, code in enumerate(codes, 1):
        if code not in categories():
            raise ValueError(f"no. {number} is not a category")
        found.add(code)
    return tuple(sorted(found))


Token = Annotated[str, AfterValidator(push_token)]
Phone = Annotated[str, AfterValidator(phone_number)]
Areas = Annotated[tuple[str, ...], Field(max_length=MAX_AREAS)]
OptOuts = Annotated[tuple[str, ...], AfterValidator(known_categories)]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class NewSubscriber(_Form):
    """A registration: everything the registry will hold about a phone."""

    token: Annotated[Token | None, Field(repr=False)] = None
    token_kind: TokenKind = "token"  # noqa: S105 (names a kind)
    platform: Platform | None = None
    phone: Annotated[Phone | None, Field(repr=False)] = None
    home: str
    areas: Areas = ()
    locale: Language = "vi"
    opt_outs: OptOuts = ()

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.token is None and self.phone is None:
            raise ValueError(f"token, phone: {ADDRESS_RULE}")
        if (self.token is None) != (self.platform is None):
            raise ValueError(f"platform: {PLATFORM_RULE}")
        if self.token is not None:
            check_subscription(self.token, self.token_kind, self.platform)
        return self


class SubscriberChange(_Form):
    """What a subscriber changes. What is not named stays; `phone` set to None forgets the number."""

    home: str | None = None
    areas: Areas | None = None
    locale: Language | None = None
    opt_outs: OptOuts | None = None
    phone: Annotated[Phone | None, Field(repr=False)] = None


class Places(NamedTuple):
    """A subscriber's areas by their preorder numbers."""

    home: int
    areas: tuple[int, ...]
    """Further ones, sorted, without the home."""


def places(tree: AreaTree, home: str, areas: Iterable[str]) -> Places:
    """The numbers of a home, which must be a leaf, and of further areas at any level.

    Raises InvalidSubscriberError.
    """
    if home not in tree or not tree.is_leaf(home):
        raise InvalidSubscriberError("home", f"must be a lowest-level area of edition {tree.edition}")
    further: set[int] = set()
    for number, code in enumerate(areas, 1):
        if code not in tree:
            raise InvalidSubscriberError("areas", f"no. {number} is not an area of edition {tree.edition}")
        further.add(tree.number(code))
    lives = tree.number(home)
    return Places(lives, tuple(sorted(further - {lives})))
