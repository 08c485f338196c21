"""A CAP 1.2 message as it was read: what its author wrote, not what he should have written.

Every value is the text of its element, stripped; None where the element is absent.
"""

from dataclasses import dataclass

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
Pair = tuple[str, str]
"""A valueName and its value."""


class CapRefusedError(Exception):
    """A message that cannot be taken. `rule` names why, and never changes; `detail` says where."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule, self.detail = rule, detail


@dataclass(frozen=True)
class CapArea:
    """Where (CAP 1.2 §3.2.4)."""

    desc: str | None = None
    polygons: tuple[str, ...] = ()
    circles: tuple[str, ...] = ()
    geocodes: tuple[Pair, ...] = ()
    altitude: str | None = None
    ceiling: str | None = None


@dataclass(frozen=True)
class CapResource:
    """A file that goes with it (CAP 1.2 §3.2.3)."""

    desc: str | None = None
    mime_type: str | None = None
    uri: str | None = None
    has_content: bool = False
    """Whether the file itself is inside, as derefUri."""


@dataclass(frozen=True)
class CapInfo:
    """What is said, in one language (CAP 1.2 §3.2.2)."""

    language: str | None = None
    categories: tuple[str, ...] = ()
    event: str | None = None
    response_types: tuple[str, ...] = ()
    urgency: str | None = None
    severity: str | None = None
    certainty: str | None = None
    event_codes: tuple[Pair, ...] = ()
    effective: str | None = None
    onset: str | None = None
    expires: str | None = None
    sender_name: str | None = None
    headline: str | None = None
    description: str | None = None
    instruction: str | None = None
    web: str | None = None
    contact: str | None = None
    parameters: tuple[Pair, ...] = ()
    resources: tuple[CapResource, ...] = ()
    areas: tuple[CapArea, ...] = ()

    @property
    def tongue(self) -> str:
        """The primary language, lower case; CAP's default is en-US."""
        return (self.language or "en-US").split("-")[0].lower()


@dataclass(frozen=True)
class CapMessage:
    """One message (CAP 1.2 §3.2.1)."""

    identifier: str | None = None
    sender: str | None = None
    sent: str | None = None
    status: str | None = None
    msg_type: str | None = None
    scope: str | None = None
    restriction: str | None = None
    addresses: str | None = None
    note: str | None = None
    references: str | None = None
    incidents: str | None = None
    infos: tuple[CapInfo, ...] = ()
    disorder: tuple[str, ...] = ()
    """Elements that are unknown, out of the schema's order or there too often."""
    signed: bool = False
    """Whether it carries a signature; none is verified here."""
