"""Who an alert reached and missed: by version, channel and commune, as JSON and as a table."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response

from broadcaster.proof import exports
from broadcaster.proof.exports import Export
from broadcaster.registry.coverage import Coverage
from broadcaster.web import story
from broadcaster.web.api.accounting_models import (
    Accounting,
    AreaAccount,
    AreaCoverage,
    ChannelAccount,
    SparedAccount,
)
from broadcaster.web.api.cap import tagged
from broadcaster.web.api.reach_models import totals
from broadcaster.web.api.screen_accounts import screens_excluded, screens_shown
from broadcaster.web.api.tags import IfNoneMatch, answered
from broadcaster.web.auth import Staff, actor
from broadcaster.web.openapi import problems_of
from broadcaster.web.problems import ProblemError
from broadcaster.web.services import Services, WithServices
from projections.reach import spared as spared_view
from projections.reach import view as reach
from projections.reach.spared import SparedRow
from schemas.areas import Area, AreaTree
from schemas.events import Actor

router = APIRouter(prefix="/v1/alerts", tags=["delivery"])

_FAILURES = problems_of(304, 401, 404, 422)
_CSV = "text/csv; charset=utf-8"
_PLACE = ("scope", "version", "channel", "code", "name")
_OUTCOMES = ("accepted", "gone", "refused", "superseded", "expired", "dead", "in_flight")
_TOPICS = ("by_topic", "topics", "topics_accepted")
_COLUMNS = (*_PLACE, "audience", *_OUTCOMES, "unknown", "written_off", "population", "phones", *_TOPICS)


@router.get(
    "/{alert_id}/accounting",
    summary="Who it reached and missed",
    response_model=Accounting,
    responses=_FAILURES,
)
def accounting(
    services: WithServices,
    principal: Staff,
    response: Response,
    alert_id: UUID,
    if_none_match: IfNoneMatch = None,
) -> object:
    """Live and exact; for staff, since in a small area a count says much about few."""
    del principal
    found = account(services, alert_id)
    # Counting the registry again changes nothing that is told, unless the counts changed.
    facts = found.model_dump_json(exclude={"coverage_at"}).encode()
    tag = f'"{hashlib.sha256(facts).hexdigest()[:32]}"'
    return answered(found, response, if_none_match, tag=tag)


@router.get(
    "/{alert_id}/accounting.csv",
    summary="Who it reached and missed, as a table",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}}} | _FAILURES,
)
def accounting_csv(
    services: WithServices, principal: Staff, alert_id: UUID, if_none_match: IfNoneMatch = None
) -> Response:
    """One line a version and channel (`scope` total), then one a version, channel and commune (`area`).

    That it was taken is in the log; a 304 gives nothing out.
    """
    return table(services, alert_id, actor(principal), if_none_match)


def table(services: Services, alert_id: UUID, by: Actor, if_none_match: str | None = None) -> Response:
    """The same for a page of the console. Raises ProblemError."""
    found = account(services, alert_id)
    file = io.StringIO()
    # A mark of order at the start: without it a spreadsheet takes the names for another encoding.
    file.write("\ufeff")
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    writer.writerows(_lines(found))
    data = file.getvalue().encode()
    answer = tagged(data, _CSV, if_none_match, "private, no-cache")
    if answer.status_code == HTTPStatus.OK:
        made = Export("accounting", "csv", alert_id=alert_id)
        exports.record(services.ports.log, made, data, by=by, at=services.now())
    answer.headers["Content-Disposition"] = f'attachment; filename="accounting-{alert_id}.csv"'
    answer.headers["Vary"] = "Authorization"
    return answer


def account(services: Services, alert_id: UUID) -> Accounting:
    """The whole of it, from one reading of the view. Raises ProblemError."""
    told = story.read(services.ports.log, alert_id)
    issued = told.alert.issued
    if issued is None:
        raise ProblemError("not-found", "There is no such alert, or it has not gone out.")
    tree = services.tree(issued.edition)
    with services.reading() as conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        channels = reach.of_alert(conn, alert_id)
        areas = reach.areas_of_alert(conn, alert_id)
        spared = spared_view.of_alert(conn, alert_id)
        shown = reach.showings(conn, alert_id)
    coverage = services.coverage.get(services.now())
    phones = services.ports.registry.device_counts(alert_id)
    leaves = _leaves(tree, issued.content.areas)
    covered = [_covered(leaf, coverage) for leaf in leaves] if coverage.edition == tree.edition else []
    return Accounting(
        alert_id=alert_id,
        channels=[
            ChannelAccount(
                version=one.version,
                channel=one.channel,
                totals=totals(one.totals),
                reasons=one.reasons,
                settled=one.totals.in_flight == 0,
                frozen_at=one.frozen_at,
                last_receipt_at=one.last_receipt_at,
            )
            for one in channels
        ],
        areas=[_area(tree, one) for one in areas],
        spared=[_spared(services, one) for one in spared],
        coverage=covered,
        screens=screens_shown(services, tree, issued, alert_id, shown),
        screens_excluded=screens_excluded(services, tree, issued, alert_id),
        population=sum(leaf.population or 0 for leaf in leaves),
        phones=sum(one.phones for one in covered) if covered else None,
        coverage_at=coverage.at,
        shown=phones.shown,
        opened=phones.opened,
    )


def _area(tree: AreaTree, one: reach.AreaReach) -> AreaAccount:
    counted = one.totals
    return AreaAccount(
        version=one.version,
        channel=one.channel,
        code=one.area,
        name=_name(tree, one.area),
        audience=counted.audience,
        accepted=counted.accepted,
        gone=counted.gone,
        refused=counted.refused,
        superseded=counted.superseded,
        expired=counted.expired,
        dead=counted.dead,
        in_flight=counted.in_flight,
        by_topic=counted.by_topic,
    )


def _spared(services: Services, one: SparedRow) -> SparedAccount:
    by = story.read(services.ports.log, one.by_alert)
    return SparedAccount(
        version=one.version,
        channel=one.channel,
        by_alert=one.by_alert,
        by_version=one.by_version,
        count=one.count,
        holds=not by.is_over(services.now()),
    )


def _leaves(tree: AreaTree, named: Iterable[str]) -> list[Area]:
    """The communes named, each once, whole or as parts of a larger area."""
    leaves = {leaf.code: leaf for code in named for leaf in tree.leaves(code)}
    return [leaf for _, leaf in sorted(leaves.items())]


def _covered(leaf: Area, coverage: Coverage) -> AreaCoverage:
    here = coverage.of(leaf.code)
    return AreaCoverage(
        code=leaf.code,
        name=leaf.name,
        population=leaf.population,
        phones=here.phones,
        push=here.push,
        sms=here.sms,
        share=round(here.phones / leaf.population, 4) if leaf.population else None,
    )


def _lines(found: Accounting) -> Iterator[tuple[object, ...]]:
    for one in found.channels:
        counted = one.totals
        yield (
            *("total", one.version, one.channel.value, "", ""),
            *(counted.audience, *_outcomes(counted), counted.unknown, counted.written_off),
            *(found.population, found.phones),
            *(counted.by_topic, counted.topics, counted.topics_accepted),
        )
    covered = {one.code: one for one in found.coverage}
    for one in found.areas:
        beside = covered.get(one.code)
        yield (
            *("area", one.version, one.channel.value, one.code, one.name),
            *(one.audience, *_outcomes(one), None, None),
            *((beside.population, beside.phones) if beside else (None, None)),
            *(one.by_topic, None, None),
        )


def _outcomes(counted: object) -> tuple[int, ...]:
    return tuple(getattr(counted, name) for name in _OUTCOMES)


def _name(tree: AreaTree, code: str) -> str:
    return tree[code].name if code in tree else code
