"""For a citizen's device: registering, choosing areas, reading what holds there, and leaving."""

from math import ceil
from uuid import UUID

from fastapi import APIRouter, Response

from broadcaster.accounts import throttle
from broadcaster.registry.rules import InvalidSubscriberError, NewSubscriber, SubscriberChange
from broadcaster.registry.subscribers import BeingMovedError, UnknownSubscriberError
from broadcaster.web.api.device_models import (
    DeviceAnswer,
    DeviceRegistered,
    Inbox,
    device_answer,
    inbox_of,
)
from broadcaster.web.api.tags import IfNoneMatch, answered
from broadcaster.web.auth import Address, Device, Vouched
from broadcaster.web.inbox import live_in
from broadcaster.web.openapi import DEVICE_EXAMPLE, problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from schemas.requests import DeviceAreas, DeviceReceipt, DeviceToken
from schemas.web_push import KIND

router = APIRouter(prefix="/v1/devices", tags=["devices"])


@router.post(
    "",
    status_code=201,
    summary="Register a device",
    responses=problems_of(401, 403, 422, 429),
    openapi_extra=DEVICE_EXAMPLE,
)
def register(
    services: WithServices, request: NewSubscriber, address: Address, vouched: Vouched
) -> DeviceRegistered:
    """The answer's secret is shown this once. Registering the same token again replaces it.

    A number that is registered already is refused, for it proves nothing: register without it, or by the
    app's own server with its key, which takes the number from whoever held it.
    """
    _check_service(services, request.token, request.token_kind)
    if not vouched:
        _brake_all(services, address)
        _brake(services, request.phone, address)
    made = services.ports.registry.register(request, services.now(), proved=vouched)
    return DeviceRegistered(device_id=made.device_id, secret=made.secret)


@router.get("/me", summary="What is held about the device", responses=problems_of(401))
def read_me(device: Device) -> DeviceAnswer:
    """Everything, its token apart."""
    return device_answer(device)


@router.patch("/me", summary="Change the device's choices", responses=problems_of(401, 403, 422, 429))
def change_me(
    services: WithServices, device: Device, request: SubscriberChange, address: Address, vouched: Vouched
) -> DeviceAnswer:
    """What is not named stays. A `phone` of null forgets the number."""
    if not vouched:
        _brake(services, request.phone, address)
    return _changed(services, device.device_id, request, proved=vouched)


@router.put("/me/areas", summary="Choose areas", responses=problems_of(401, 422))
def choose_areas(services: WithServices, device: Device, request: DeviceAreas) -> DeviceAnswer:
    """Where it lives, and further areas to follow."""
    change = SubscriberChange(home=request.home, areas=request.areas)
    return _changed(services, device.device_id, change)


@router.put("/me/token", status_code=204, summary="Replace the push token", responses=problems_of(401, 422))
def refresh_token(services: WithServices, device: Device, request: DeviceToken) -> None:
    """When the push service gave the device another."""
    _check_service(services, request.token, request.token_kind)
    try:
        services.ports.registry.refresh_token(
            device.device_id, request.token, request.token_kind, request.platform, services.now()
        )
    except UnknownSubscriberError:
        raise _gone() from None


@router.delete("/me", status_code=204, summary="Erase the device", responses=problems_of(401))
def erase_me(services: WithServices, device: Device) -> None:
    """Everything about it, at once and for good."""
    services.ports.registry.unregister(device.device_id)


@router.get("/me/inbox", summary="What holds now", response_model=Inbox, responses=problems_of(304, 401))
def read_inbox(
    services: WithServices, device: Device, response: Response, if_none_match: IfNoneMatch = None
) -> object:
    """Live alerts addressed to one of the device's areas or to an area above one."""
    own = (device.home, *device.areas, *device.meanwhile)
    rows = live_in(services, own, device.edition)
    return answered(inbox_of(rows, services.directory.body_name), response, if_none_match)


@router.post(
    "/me/receipts", status_code=204, summary="Report what was shown", responses=problems_of(401, 422)
)
def note_receipt(services: WithServices, device: Device, request: DeviceReceipt) -> None:
    """That the device showed a version of an alert, or that it was opened. A repeat changes nothing."""
    noted = services.ports.registry.note(
        device.device_id, request.alert_id, request.version, request.event, services.now()
    )
    if not noted:
        raise _gone()


def _brake(services: Services, phone: str | None, address: str) -> None:
    """Numbers are tried out slowly, for nobody has proved that they are his."""
    if phone is None:
        return
    wait = services.ports.desk.throttle.enter(throttle.of_number(address), services.now())
    if wait is not None:
        seconds = ceil(wait.total_seconds())
        detail = "Too many numbers were named from your address; register without one, or wait."
        raise ProblemError("tries", detail, headers={"Retry-After": str(seconds)})


def _brake_all(services: Services, address: str) -> None:
    """Each registration is kept, and sent to: one address cannot fill the registry with what it made up."""
    wait = services.intake.enter(address, services.now().timestamp())
    if wait > 0:
        detail = "Too many devices were registered from your address; wait, or have the app's server vouch."
        raise ProblemError("tries", detail, headers={"Retry-After": str(ceil(wait))})


def _check_service(services: Services, token: str | None, kind: str) -> None:
    """Refuses a browser whose push service is not one we send to: a stranger must not choose it for us."""
    if token is None or kind != KIND:
        return
    if not services.ports.push_services.allows(token.partition("|")[0]):
        rule = "is at a push service that this deployment does not send to"
        raise InvalidSubscriberError("token", rule)


def _changed(
    services: Services, device_id: UUID, change: SubscriberChange, *, proved: bool = False
) -> DeviceAnswer:
    try:
        return device_answer(
            services.ports.registry.change(device_id, change, services.now(), proved=proved)
        )
    except UnknownSubscriberError:
        raise _gone() from None
    except BeingMovedError as moving:
        # For a moment after an edition took effect; naming home and areas both is taken at once.
        raise ProblemError("unavailable", f"{moving}.", headers={"Retry-After": "5"}) from None


def _gone() -> ProblemError:
    return ProblemError("key.missing", "The device was erased meanwhile.")
