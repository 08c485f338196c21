"""Every page of the console. A new page is its module, its template, and a line here."""

from broadcaster.web.console import areas, bodies, delegations, home, stream
from broadcaster.web.console.alerts import cancel, compose, left_out, live, live_areas, review, signs
from broadcaster.web.console.alerts import found as alerts
from broadcaster.web.console.doors import account, kept, sign_in, sso
from broadcaster.web.console.oversight import (
    audit,
    audit_export,
    cadence,
    dead_letters,
    proof,
    reach,
    system,
)
from broadcaster.web.console.people import access, keys, people
from broadcaster.web.console.screens import actions as screen_actions
from broadcaster.web.console.screens import groups as screen_groups
from broadcaster.web.console.screens import map as screen_map
from broadcaster.web.console.screens import overview as screens
from broadcaster.web.console.screens import page as screen_page
from broadcaster.web.console.shelf import area_sets, template_writing, templates

ROUTERS = (
    sign_in.router,
    kept.router,
    home.router,
    alerts.router,
    compose.router,
    signs.router,
    areas.router,
    live.router,
    live_areas.router,
    stream.router,
    system.router,
    cancel.router,
    review.router,
    account.router,
    sso.router,
    people.router,
    access.router,
    keys.router,
    cadence.router,
    reach.router,
    dead_letters.router,
    screens.router,
    screen_page.router,
    screen_actions.router,
    screen_groups.router,
    screen_map.router,
    left_out.router,
    templates.router,
    template_writing.router,
    area_sets.router,
    bodies.router,
    delegations.router,
    audit.router,
    audit_export.router,
    proof.router,
)
