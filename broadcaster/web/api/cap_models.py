"""What the CAP operations are asked and what they answer."""

from typing import Annotated

from pydantic import Field

from broadcaster.cap.findings import Finding
from broadcaster.web.api.models import AlertState, Answer
from schemas.content import AreaCode, Kind, Mode, RiskLevel
from schemas.requests import Body, BodyId

CategoryCode = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]


class CapChoices(Body):
    """What the receiving staff say themselves; it wins over the message."""

    issuer: Annotated[BodyId | None, Field(description="The body that takes it; the key's without it.")] = (
        None
    )
    category: Annotated[CategoryCode | None, Field(description="One of our categories.")] = None
    area: Annotated[
        list[AreaCode],
        Field(
            default_factory=list[str],
            max_length=700,
            description="Codes of the edition in force; repeat for more.",
        ),
    ]
    risk_level: Annotated[RiskLevel | None, Field(description="Of a natural hazard.")] = None
    kind: Annotated[Kind, Field(description="An alert, or regular information.")] = Kind.ALERT


class CapFinding(Answer):
    """Something to look at in a message that was taken."""

    rule: str
    """`R-` breaks a MUST of CAP 1.2, `W-` is against good practice or says what was lost."""
    text: str


class CapImported(Answer):
    """The draft, and what its editor must look at."""

    alert: AlertState
    findings: tuple[CapFinding, ...]


class FeedWanted(Body):
    """Which alerts a feed holds."""

    area: Annotated[AreaCode | None, Field(description="Addressed to this area or to one above it.")] = None
    category: Annotated[CategoryCode | None, Field(description="Of this category only.")] = None
    mode: Annotated[Mode, Field(description="Exercises and tests are feeds of their own.")] = Mode.ACTUAL
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    before: Annotated[int | None, Field(ge=1, le=2**62, description="Of the former page.")] = None


def findings(found: tuple[Finding, ...]) -> tuple[CapFinding, ...]:
    """As they are answered."""
    return tuple(CapFinding(rule=one.rule, text=one.text) for one in found)
