"""My areas: what holds where a citizen lives or cares, with scripts and without, online and off."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic_core import to_json
from starlette.responses import RedirectResponse, Response

from broadcaster.web import i18n
from broadcaster.web.citizen import choice
from broadcaster.web.citizen.alerts import Place, place
from broadcaster.web.citizen.choice import Choice
from broadcaster.web.console.form import UnboundForm
from broadcaster.web.copies.terms import while_it_may_change
from broadcaster.web.home import Eye
from broadcaster.web.inbox import live_in
from broadcaster.web.services import Services, WithServices
from broadcaster.web.sights import AlertSight
from broadcaster.web.templating import compressed, page, public_page, render
from schemas.areas import AreaTree

router = APIRouter(prefix="/my", include_in_schema=False)


@dataclass(frozen=True)
class Group:
    """Areas to choose from that lie in one above."""

    name: str
    areas: tuple[Place, ...]
    open: bool
    """Whether any of them is chosen."""


@router.api_route("", methods=["GET", "HEAD"])
def my_page(services: WithServices, request: Request) -> Response:
    """Live alerts of the areas in the address or the cookie, and of those above them."""
    lang, chosen = i18n.chosen(request), choice.chosen(services, request)
    html = _page(services, lang, chosen, offline=False)
    return compressed(request, page(request, html))


@router.post("")
def choose(services: WithServices, request: Request, form: UnboundForm) -> Response:
    """Keeps the areas in a cookie of the reader's own browser."""
    answer = RedirectResponse("/my", 303, {"Cache-Control": "no-store"})
    try:
        choice.remember(services, answer, form.all("area"))
    except choice.TooManyError:
        codes = choice.known(services.tree(), form.all("area"))
        return _picker(services, request, codes, too_many=True)
    return answer


@router.api_route("/areas", methods=["GET", "HEAD"])
def areas_page(services: WithServices, request: Request) -> Response:
    """The wards and communes to choose from."""
    return _picker(services, request, choice.chosen(services, request).codes, too_many=False)


@router.get("/alerts.json")
def alerts_document(services: WithServices, request: Request) -> Response:
    """What the page's script draws, and its worker keeps: each alert as it is drawn, and when it ends."""
    lang, chosen = i18n.chosen(request), choice.chosen(services, request)
    eye = Eye.of(services, lang)
    document: dict[str, Any] = {
        "at": eye.now,
        "areas": [{"code": each.code, "name": each.name} for each in _places(services, chosen.codes)],
        "alerts": [
            {
                "id": sight.id,
                "expires_at": sight.expires_at,
                "html": render("my-alert.html", lang, sight=sight).strip(),
            }
            for sight in _live(services, eye, chosen.codes)
        ],
    }
    # The areas are in the address: whoever asks for the same ones may get the same copy for a moment.
    keep = while_it_may_change() if chosen.source == "address" else "private, no-cache"
    headers = {"Cache-Control": keep, "Vary": "Cookie"}
    return compressed(request, Response(to_json(document), media_type="application/json", headers=headers))


@router.get("/offline/{lang}")
def offline_page(
    services: WithServices, request: Request, lang: Annotated[Literal["vi", "en"], Path()]
) -> Response:
    """The page that the worker keeps for when nobody answers: empty, until the script fills it."""
    return public_page(
        request, _page(services, lang, Choice((), "none"), offline=True), while_it_may_change()
    )


def _page(services: Services, lang: i18n.Lang, chosen: Choice, *, offline: bool) -> str:
    eye = Eye.of(services, lang)
    return render(
        "my.html",
        lang,
        path="/my",
        here="my",
        at=eye.now,
        areas=_places(services, chosen.codes),
        alerts=() if offline else _live(services, eye, chosen.codes),
        source=chosen.source,
        offline=offline,
        push_key=services.ports.push_key,
    )


def _picker(services: Services, request: Request, codes: Sequence[str], *, too_many: bool) -> Response:
    html = render(
        "my-areas.html",
        i18n.chosen(request),
        path="/my/areas",
        here="my",
        groups=groups(services.tree(), codes),
        chosen=frozenset(codes),
        most=choice.MOST,
        too_many=too_many,
    )
    return compressed(request, page(request, html, 422 if too_many else 200))


def groups(tree: AreaTree, codes: Sequence[str]) -> tuple[Group, ...]:
    """Every lowest area under the one it lies in; those right below the city together, without a name."""
    found: dict[str, list[Place]] = {}
    for area in sorted(tree.leaves(tree.root), key=lambda area: area.name):
        found.setdefault(area.parent_code or tree.root, []).append(place(area, tree))
    return tuple(
        Group(
            name="" if above == tree.root else tree[above].name,
            areas=tuple(areas),
            open=above == tree.root or any(each.code in codes for each in areas),
        )
        for above, areas in sorted(found.items(), key=lambda each: tree[each[0]].name)
    )


def _places(services: Services, codes: Sequence[str]) -> tuple[Place, ...]:
    tree = services.tree()
    return tuple(place(tree[code], tree) for code in codes)


def _live(services: Services, eye: Eye, codes: Sequence[str]) -> tuple[AlertSight, ...]:
    if not codes:
        return ()
    rows = live_in(services, codes, services.tree().edition)
    seen = [sight for row in rows if (sight := eye.see_row(row))]
    return tuple(sorted(seen, key=lambda sight: sight.gravity))
