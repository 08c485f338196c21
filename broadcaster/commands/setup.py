"""Commands that put the house in order: area register, bodies, roles. Safe to repeat."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from broadcaster.account import Role
from broadcaster.issuer import Issuer
from broadcaster.log import Once
from broadcaster.office import Office, deciding
from broadcaster.reference import IssuerRecord
from broadcaster.rules import RefusedError, Rule
from broadcaster.screen import Screen
from schemas.areas import Area
from schemas.events import Actor, Event, RoleGranted, Shown, SubscribersImported
from schemas.ids import issuer_stream, stream_id


class SetupCommands:
    """What the operator does, and what a manager of a body does for it.

    What the operator does at the machine needs no right that could be taken away meanwhile: those
    appends name no ground, and the version of the stream alone says who was first.
    """

    def __init__(self, office: Office) -> None:
        self._office = office

    def adopt_areas(
        self, by: Actor, edition: str, effective_on: date, areas: Sequence[Area], *, at: datetime
    ) -> bool:
        """Takes an edition of the area register; False where it is already in."""
        register = self._office.register()
        if any(known.name == edition for known in register.editions):
            return False
        self._office.log.append([register.adopt(by, edition, effective_on, areas)], at=at)
        return True

    def register_issuers(self, by: Actor, records: Iterable[IssuerRecord], *, at: datetime) -> int:
        """Registers the bodies that are not registered yet, all or none; answers how many."""
        events = [
            Issuer.register(
                by,
                record.issuer_id,
                name=record.name,
                kind=record.kind,
                level=record.level,
                area=record.area,
                fields=record.fields,
                parent=record.parent,
            )
            for record in records
            if not self._office.log.has(issuer_stream(record.issuer_id))
        ]
        if events:
            self._office.log.append(events, at=at)
        return len(events)

    def grant(
        self, by: Actor, account: str, body: str, role: Role, *, at: datetime, key_id: str | None = None
    ) -> RoleGranted:
        """Gives an account a role for a body that exists. Raises UnknownStreamError."""
        self._office.issuer(body)
        event = self._office.account(account).grant(by, body, role, key_id)
        self._office.log.append([event], at=at)
        return event

    def subscribers_imported(
        self, by: Actor, file_sha256: str, accepted: int, rejected: int, *, at: datetime
    ) -> bool:
        """Notes that a file of subscribers was read to its end; False where it is noted already."""
        event = SubscribersImported(
            originator_id=stream_id("subscriber-file", file_sha256),
            originator_version=1,
            by=by,
            file_sha256=file_sha256,
            accepted=accepted,
            rejected=rejected,
        )
        if self._office.log.has(event.originator_id):
            return False
        self._office.log.append([event], at=at)
        return True

    def register_screen(
        self,
        by: Actor,
        screen_id: UUID,
        *,
        name: str,
        area: str,
        profile: str,
        at: datetime,
        drills: bool = False,
        once: Once | None = None,
    ) -> Screen:
        """Puts a screen within the area of the manager's body."""
        office = self._office

        def decide() -> Event:
            edition = self.check_place(by, area, at)
            return Screen.register(
                by, screen_id, name=name, area=area, profile=profile, drills=drills, edition=edition
            )

        with office.refusals(by, "register screen", at, issuer_id=by.body):
            what = f"screen {screen_id} is"
            return deciding.begin(office.log, Screen.fold, decide, at=at, once=once, what=what)

    def remove_screen(self, by: Actor, screen_id: UUID, *, at: datetime) -> Screen:
        """Takes a screen out of service."""
        office = self._office

        def decide(screen: Screen) -> Event:
            self.check_place(by, screen.area, at, screen.edition)
            return screen.remove(by)

        with office.refusals(by, "remove screen", at, issuer_id=by.body):
            return deciding.change(
                office.log,
                office.screen,
                Screen.fold,
                screen_id,
                decide,
                at=at,
                what=f"screen {screen_id} is",
            )

    def screen_showed(self, screen_id: UUID, reported: Sequence[Shown], *, at: datetime) -> int:
        """Notes what a screen shows for the first time; answers how much of it was new.

        What names no alert is passed over: a screen can be wrong, and its report is no command.
        """
        office = self._office
        known = [shown for shown in reported if office.log.has(shown.alert_id)]
        by = Actor(account=f"screen:{screen_id}")

        def attempt() -> int:
            event = office.screen(screen_id).show(by, known)
            if event is None:
                return 0
            # No ground: a report is a fact, and asks for no right that could be gone.
            office.log.append([event], at=at)
            return len(event.shown)

        return deciding.insist(attempt, f"screen {screen_id} is")

    def check_place(self, by: Actor, area: str, at: datetime, edition: str | None = None) -> str:
        """The edition, else the one in force, in which the area lies within that of the actor's body."""
        if by.body is None:
            raise RefusedError(Rule.BODY, f"{by.account} acts for no body")
        self._office.account(by.account).check(by.body, Role.MANAGER)
        register = self._office.register()
        tree = (register.edition(edition) if edition else register.current(at)).tree
        if area not in tree:
            raise RefusedError(Rule.UNKNOWN_AREA, f"area: edition {tree.edition} has no {area}")
        body = self._office.open_body(by.body, at)
        if not body.reaches(area, tree):
            own = body.seat(tree.edition)
            raise RefusedError(Rule.AREA, f"area {area} lies outside {own}, the area of {by.body}")
        return tree.edition
