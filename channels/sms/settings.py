"""What a carrier's contract says, for both roads to a phone."""

from dataclasses import KW_ONLY, dataclass, field

from channels.sms.brand import BRAND, Rules


@dataclass(frozen=True)
class SmppSettings:
    """One bind to one SMSC. Times are in seconds. Raises ValueError naming the field that is wrong."""

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    brand: str
    """The sender that phones show: registered with the carrier, at most 11 unaccented characters."""
    _: KW_ONLY
    system_type: str = ""
    tls: bool = False
    accented: bool = False
    """Send Vietnamese with its marks (UCS-2): about twice the parts."""
    receipts: bool = True
    """Ask for a delivery receipt for the last part of each message."""
    country: str = "84"
    """The calling code of numbers that begin with 0."""
    messages_per_second: float = 100.0
    """Parts a second, as sold."""
    in_flight: int = 50
    """Parts without an answer at once, as agreed."""
    gone: frozenset[int] = frozenset()
    """The statuses this carrier gives for a number no longer in use: such a number is erased."""
    rules: Rules = field(default_factory=Rules)
    """What the contract demands of a text."""
    decimal_receipts: bool = False
    """The carrier gives a message's id in hexadecimal and repeats it in decimal in the receipt."""
    client_id: bool = True
    """Carry the client id in an optional parameter; not every SMSC takes unknown ones."""
    timeout: float = 10.0
    connect_timeout: float = 5.0
    keepalive: float = 30.0
    """After so long a silence the line is asked whether it is there (enquire_link)."""
    patience: float = 1.0
    """How long a send waits for a lost line to come back before it defers."""
    reconnect_first: float = 0.5
    reconnect_longest: float = 30.0
    throttle_pause: float = 1.0
    """How long everything holds after ESME_RTHROTTLED; also the retry asked for."""

    def __post_init__(self) -> None:
        if not BRAND.fullmatch(self.brand):
            raise ValueError("brand: 1 to 11 of A-Z a-z 0-9 space . _ -, the first a letter or a digit")
        for name in ("host", "system_id"):
            if not getattr(self, name):
                raise ValueError(f"{name}: must not be empty")
        for name in ("port", "in_flight", "timeout", "connect_timeout", "keepalive", "messages_per_second"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: must be more than 0")


@dataclass(frozen=True)
class MailSettings:
    """One mail relay that hands e-mail on as SMS. Times are in seconds. Raises ValueError as above."""

    host: str
    port: int
    domain: str
    """Recipients are <number>@<domain>."""
    sender: str
    _: KW_ONLY
    username: str = ""
    password: str = field(default="", repr=False)
    use_tls: bool = False
    """TLS from the first byte (port 465)."""
    start_tls: bool | None = None
    """True demands STARTTLS, False forbids it, None takes it where offered."""
    accented: bool = False
    rules: Rules = field(default_factory=Rules)
    country: str = "84"
    connections: int = 4
    recipients_per_mail: int = 50
    """Recipients of one mail, as the relay allows."""
    timeout: float = 20.0
    patience: float = 1.0
    """How long a send waits for the next try to connect before it defers."""
    reconnect_first: float = 0.5
    reconnect_longest: float = 30.0

    def __post_init__(self) -> None:
        if "@" not in self.sender:
            raise ValueError("sender: must be an e-mail address")
        for name in ("host", "domain"):
            if not getattr(self, name):
                raise ValueError(f"{name}: must not be empty")
        for name in ("port", "connections", "recipients_per_mail", "timeout"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: must be more than 0")
