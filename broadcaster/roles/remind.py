"""The postman of a house: what carries reminders, and what it asks of the house."""

from datetime import datetime

from broadcaster.duty.postman import Postman
from broadcaster.providers.sms import mail_settings
from broadcaster.runtime import House, clock


class HouseDesk:
    """What the postman asks."""

    def __init__(self, house: House) -> None:
        self._house = house

    def now(self) -> datetime:
        """UTC."""
        return clock()

    def catch_up(self) -> bool:
        """Brings the cadence view to the log's end; False where it is stopped."""
        follower = self._house.follower(self._house.projection("cadence"))
        follower.catch_up()
        return follower.standing().stopped_at is None

    def addresses(self, issuer_id: str) -> list[str]:
        """The e-mail addresses of a body's office. Raises UnknownStreamError."""
        contacts = self._house.office.issuer(issuer_id).contacts
        return list(dict.fromkeys(each.value for each in contacts if each.kind == "email"))

    def names(self) -> dict[str, str]:
        """Of bodies, by id."""
        with self._house.pool.connection() as conn:
            bodies = self._house.cadence.ledger(conn).bodies
        return {issuer_id: body.stays[-1].name for issuer_id, body in bodies.items()}


def postman(house: House) -> Postman | None:
    """None where the settings want no reminders."""
    if not house.settings.reminders:
        return None
    return Postman(house.reminders, HouseDesk(house), mail_settings(house.settings))
