"""Request bodies about who gets in."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.events import Wish
from schemas.requests import Body, BodyId

AccountName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.@-]{1,79}$")]


class NewAccessRequest(Body):
    """What is asked for. Without `body` it is the one that the key speaks for."""

    wish: Annotated[
        Wish,
        Field(
            description="invite: a person, with a first role. grant: another role for someone."
            " key: an API key for a program."
        ),
    ]
    account: AccountName
    body: BodyId | None = None
    role: Literal["author", "approver", "manager", "auditor"]
