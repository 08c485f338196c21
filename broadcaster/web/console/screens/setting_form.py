"""Brightness and quiet hours, as a form of the console has them."""

from pydantic import ValidationError

from broadcaster.web.console.form import Form
from broadcaster.web.console.writing import Fault
from schemas.events import DisplaySetting
from schemas.screen_control_requests import ScreenDisplay

_FIELDS = ("brightness", "quiet_from", "quiet_until")


def setting_of(form: Form) -> DisplaySetting | Fault:
    """What was filled in, or what is wrong with it. What is empty is left open."""
    said: dict[str, object] = {name: form.one(name) for name in _FIELDS if form.one(name)}
    try:
        return ScreenDisplay.model_validate(
            said | {"hides_emergencies": form.ticked("hides_emergencies")}
        ).setting
    except ValidationError as error:
        place = error.errors(include_url=False, include_input=False)[0]["loc"]
        if place[:1] == ("brightness",):
            return Fault("brightness", "percent")
        return Fault("quiet_from", "hours")
