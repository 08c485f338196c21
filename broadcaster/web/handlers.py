"""From exceptions to answers: a problem for programs, a page for people."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import psycopg
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from broadcaster.log import ConflictError, UnknownStreamError
from broadcaster.log.recorder import KeyReusedError
from broadcaster.registry.rules import InvalidSubscriberError
from broadcaster.rules import RefusedError
from broadcaster.web import problems
from broadcaster.web.problems import ProblemError, problem

ErrorPage = Callable[[Request, int, Exception], Awaitable[Response]]
Handler = Callable[[Request, Any], Response]


def install(app: FastAPI, error_page: ErrorPage) -> None:
    """Hands every kind of exception its answer."""
    answers: dict[type[Exception], Handler] = {
        HTTPException: _http,
        ProblemError: _problem,
        RefusedError: _refused,
        RequestValidationError: _invalid,
        InvalidSubscriberError: _invalid_subscriber,
        UnknownStreamError: _unknown,
        ConflictError: _conflict,
        KeyReusedError: _reused,
        PoolTimeout: _unavailable,
        psycopg.OperationalError: _unavailable,
        psycopg.errors.IdleInTransactionSessionTimeout: _unavailable,
        Exception: _unexpected,
    }
    for kind, answer in answers.items():
        app.add_exception_handler(kind, _for_people_too(answer, error_page))


def _for_people_too(answer: Handler, error_page: ErrorPage) -> Callable[[Request, Any], Any]:
    async def handle(request: Request, error: Exception) -> Response:
        response = answer(request, error)
        if response.status_code >= 400 and wants_page(request):  # noqa: PLR2004
            return await error_page(request, response.status_code, error)
        return response

    return handle


def wants_page(request: Request) -> bool:
    """Whether a person asks with a browser, outside the API."""
    is_api = request.url.path.startswith("/v1/")
    return not is_api and "text/html" in request.headers.get("accept", "")


def _http(_: Request, error: HTTPException) -> Response:
    if error.status_code == 400:  # noqa: PLR2004 (the framework's word for a body it cannot parse)
        return problem("request.malformed")
    return problems.of_status(error.status_code, error.headers)


def _problem(_: Request, error: ProblemError) -> Response:
    return error.response()


def _refused(_: Request, error: RefusedError) -> Response:
    return problems.refused(error)


def _invalid(_: Request, error: RequestValidationError) -> Response:
    found = cast("list[dict[str, Any]]", error.errors())
    broken = [one for one in found if one["type"] == "json_invalid"]
    if broken:
        return problem("request.malformed", f"not JSON at character {broken[0]['loc'][-1]}")
    return problems.invalid(found)


def _invalid_subscriber(_: Request, error: InvalidSubscriberError) -> Response:
    return problems.invalid([{"loc": (error.field,), "type": "subscriber", "msg": error.rule}])


def _unknown(_: Request, error: UnknownStreamError) -> Response:
    del error  # it names a stream, which says nothing to the caller
    return problem("not-found", "There is no such thing, or it is not for you to see.")


def _conflict(_: Request, error: ConflictError) -> Response:
    del error
    return problem("conflict")


def _reused(_: Request, error: KeyReusedError) -> Response:
    del error
    return problem("idempotency.reused")


def _unavailable(_: Request, error: Exception) -> Response:
    del error
    return problem("unavailable", headers={"Retry-After": "2"})


def _unexpected(_: Request, error: Exception) -> Response:
    del error  # guard.py logs it
    return problem("unexpected")
