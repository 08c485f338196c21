"""Random lives of alerts: any command at any time, by the aggregate; what it refuses is passed over."""

import random
from datetime import timedelta
from uuid import UUID

from broadcaster import reference
from broadcaster.alert import Alert, PreApproval, Sending
from broadcaster.lifecycle import TABLE, Command
from broadcaster.rules import RefusedError
from schemas.content import Attachment, Certainty, Content, Kind, Mode, Severity, Text, Urgency, visible
from schemas.events import Actor, AlertEvent
from tests.unit.broadcaster.cap.told import AT, EDITION, LAN, MINH, SENDER

CODES = tuple(area.code for area in reference.areas(EDITION))
CATEGORIES = tuple(sorted(reference.categories()))
LETTERS = "aăâbcdđeêghiklmnoôơpqrstuưvxy ÀẰẪỆỘỮ 0123456789 <&>\"']];%… 침수🌀\u200b"
SEA = "".join(random.Random(1).choices(LETTERS, k=50_000))
"""Texts are cut out of it: to make each anew would take half the time of the run."""
SELDOM = {Command.REJECT: 0.1, Command.CANCEL: 0.5}
"""Little follows them."""
LIFETIME = timedelta(hours=6)
TIMEKEEPER = Actor(account="system:timekeeper")


class Walk:
    """One alert's life, as a seed has it."""

    def __init__(self, number: int, chance: random.Random) -> None:
        self.chance, self.at = chance, AT + timedelta(seconds=chance.randrange(86_400))
        self.mode = chance.choice([Mode.ACTUAL, *Mode])
        event = Alert.draft(UUID(int=number), LAN, "ubnd-00001", self.content(), edition=EDITION)
        self.events: list[AlertEvent] = [event]
        self.alert = Alert.fold(None, event)
        for _ in range(chance.randint(4, 16)):
            self.step()
        if self.alert.issued is None:
            for command in (Command.RETURN, Command.SUBMIT, Command.APPROVE, Command.ISSUE):
                self.step(command)

    def step(self, command: Command | None = None) -> None:
        """Lets time pass, and tries a command."""
        self.at += timedelta(seconds=self.chance.choice([0, 1, 60, 3_600, 30_000]))
        try:
            decided = self.decide(command or self.next())
        except RefusedError:
            return
        for event in decided if isinstance(decided, tuple) else (decided,):
            self.alert = Alert.fold(self.alert, event)
            self.events.append(event)

    def next(self) -> Command:
        """Mostly what the table allows; now and then anything."""
        place = (self.alert.life, self.alert.stage)
        allowed = [each for each in Command if place in TABLE[each]]
        if not allowed or self.chance.random() < 0.1:
            return self.chance.choice(list(Command))
        return self.chance.choices(allowed, [SELDOM.get(each, 1) for each in allowed])[0]

    def decide(self, command: Command) -> AlertEvent | tuple[AlertEvent, ...]:
        """What the aggregate decides."""
        if command in {Command.ISSUE, Command.CORRECT, Command.UPDATE, Command.CANCEL, Command.EXPIRE}:
            return self.tell(command)
        return self.review(command)

    def review(self, command: Command) -> AlertEvent:
        """What nobody outside hears of."""
        alert, at = self.alert, self.at
        match command:
            case Command.REVISE:
                return alert.revise(LAN, self.content())
            case Command.SUBMIT:
                return alert.submit(LAN)
            case Command.RETURN:
                return alert.send_back(MINH, self.text(40))
            case Command.REJECT:
                return alert.reject(MINH, self.text(40))
            case Command.APPROVE:
                return alert.approve(MINH)
            case Command.SCHEDULE:
                return alert.schedule(MINH, at + timedelta(hours=2), "asked", at=at)
            case Command.UNSCHEDULE:
                return alert.unschedule(MINH)
            case _:
                raise AssertionError(f"{command} is told")

    def tell(self, command: Command) -> AlertEvent | tuple[AlertEvent, ...]:
        """What is out, and what becomes of it."""
        alert, at, chance = self.alert, self.at, self.chance
        sending: Sending = {"sender": SENDER, "edition": EDITION, "lifetime": LIFETIME, "at": at}
        match command:
            case Command.ISSUE:
                return alert.issue(LAN, **sending)
            case Command.UPDATE:
                return alert.propose_update(LAN, self.content(), corrects=chance.random() < 0.2)
            case Command.CORRECT:
                approval = PreApproval(UUID(int=1), 1, "minh")
                return alert.correct(LAN, self.content(), approval, **sending)
            case Command.CANCEL:
                wrong = chance.random() < 0.5
                return alert.cancel(LAN, sender=SENDER, reason=self.text(200), in_error=wrong, at=at)
            case _:
                return alert.expire(TIMEKEEPER, at)

    def content(self) -> Content:
        """Anything that may be said."""
        chance = self.chance
        languages = ["vi", *chance.sample(["en", "ko", "zh-TW"], chance.choice([0, 0, 1, 1, 2, 3]))]
        return Content(
            kind=chance.choice(list(Kind)),
            category=chance.choice(CATEGORIES),
            severity=chance.choice(list(Severity)),
            urgency=chance.choice(list(Urgency)),
            certainty=chance.choice(list(Certainty)),
            risk_level=chance.choice([None, 1, 2, 3, 4, 5]),
            texts={language: self.words() for language in languages},
            areas=tuple(chance.sample(CODES, chance.choice([1, 1, 2, 3, 8]))),
            expires_at=chance.choice([None, self.at + timedelta(hours=chance.randint(1, 20))]),
            mode=self.mode,
            contact=chance.choice([None, "024 3825 3536"]),
            web=chance.choice([None, "https://hanoi.gov.vn/ngap"]),
            attachments=self.files(),
            incident=chance.choice([None, "bao-so-3/2024"]),
        )

    def words(self) -> Text:
        """One language of it."""
        instruction = self.text(150) if self.chance.random() < 0.5 else None
        return Text(headline=self.text(160), description=self.text(300), instruction=instruction)

    def text(self, most: int) -> str:
        """A text of at most so many characters."""
        start = self.chance.randrange(len(SEA) - most)
        piece = SEA[start : start + self.chance.randint(1, most)]
        return piece if visible(piece) else "x"

    def files(self) -> tuple[Attachment, ...]:
        """A file, now and then."""
        if self.chance.random() < 0.9:
            return ()
        digest = f"{self.chance.getrandbits(256):064x}"
        return (Attachment(sha256=digest, description="Bản đồ", media_type="image/png", size=1234),)
