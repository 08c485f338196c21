"""Every page of the console. A new page is its module, its template, and a line here."""

from broadcaster.web.console import (
    account,
    alerts,
    areas,
    cadence,
    audit,
    cancel,
    compose,
    dead_letters,
    home,
    live,
    people,
    proof,
    review,
    screens,
    sign_in,
)

ROUTERS = (
    sign_in.router,
    home.router,
    alerts.router,
    compose.router,
    areas.router,
    live.router,
    cancel.router,
    review.router,
    account.router,
    people.router,
    cadence.router,
    dead_letters.router,
    screens.router,
    audit.router,
    proof.router,
)
