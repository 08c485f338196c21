"""Commands that put the house in order: area register, bodies, roles. Safe to repeat."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from broadcaster.account import Role
from broadcaster.issuer import Issuer
from broadcaster.log import ConflictError, Once
from broadcaster.office import Office
from broadcaster.reference import IssuerRecord
from broadcaster.rules import RefusedError, Rule
from broadcaster.screen import Screen
from schemas.areas import Area
from schemas.events import Actor, RoleGranted, Shown, SubscribersImported
from schemas.ids import issuer_stream, stream_id

TRIES = 5


class SetupCommands:
    """What the operator does, and what a manager of a body does for it."""

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
        with office.refusals(by, "register screen", at, issuer_id=by.body):
            edition = self.check_place(by, area, at)
            made = office.log.recall(once) if once else None
            if made is None:
                event = Screen.register(
                    by, screen_id, name=name, area=area, profile=profile, drills=drills, edition=edition
                )
                office.log.append([event], at=at, once=once)
                return Screen.fold(None, event)
        return office.log.load(made[0], Screen.fold, upto=made[1])

    def remove_screen(self, by: Actor, screen_id: UUID, *, at: datetime) -> Screen:
        """Takes a screen out of service."""
        with self._office.refusals(by, "remove screen", at, issuer_id=by.body):
            screen = self._office.screen(screen_id)
            self.check_place(by, screen.area, at, screen.edition)
            event = screen.remove(by)
            self._office.log.append([event], at=at)
        return Screen.fold(screen, event)

    def screen_showed(self, screen_id: UUID, reported: Sequence[Shown], *, at: datetime) -> int:
        """Notes what a screen shows for the first time; answers how much of it was new.

        What names no alert is passed over: a screen can be wrong, and its report is no command.
        """
        office = self._office
        known = [shown for shown in reported if office.log.has(shown.alert_id)]
        by = Actor(account=f"screen:{screen_id}")
        for _ in range(TRIES):
            event = office.screen(screen_id).show(by, known)
            if event is None:
                return 0
            try:
                office.log.append([event], at=at)
            except ConflictError:
                continue
            return len(event.shown)
        raise ConflictError(f"screen {screen_id} is being changed by others; try again")

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
