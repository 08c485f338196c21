"""The description of the API as a page: made from /openapi.json, without a script."""

import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from broadcaster.web import i18n
from broadcaster.web.problems import KINDS
from broadcaster.web.services import WithServices
from broadcaster.web.templating import page, render

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Field:
    """A parameter or a member of an object."""

    name: str
    place: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    id: str
    method: str
    path: str
    summary: str
    description: tuple[str, ...]
    security: tuple[str, ...]
    fields: tuple[Field, ...]
    takes: str | None
    example: str | None
    answers: tuple[tuple[str, str, str], ...]
    """Status, description, type."""


@dataclass(frozen=True)
class Group:
    """The operations of a tag."""

    name: str
    description: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Shape:
    """An object that goes in or out."""

    name: str
    description: tuple[str, ...]
    fields: tuple[Field, ...]
    values: tuple[str, ...]
    """Of an enumeration."""


@router.get("/docs")
def docs_page(services: WithServices, request: Request) -> Response:
    """How to use the API."""
    app: FastAPI = request.app
    lang = i18n.chosen(request)

    def make() -> str:
        spec = app.openapi()
        return render(
            "docs.html",
            lang,
            path="/docs",
            here="docs",
            intro=_paragraphs(spec["info"]["description"]),
            groups=groups(spec),
            shapes=shapes(spec),
            schemes=spec["components"].get("securitySchemes", {}),
            kinds=KINDS,
        )

    return page(request, services.pages.get(("docs", lang), make))


def groups(spec: dict[str, Any]) -> tuple[Group, ...]:
    """Operations by their tags."""
    found: dict[str, list[Operation]] = {tag["name"]: [] for tag in spec["tags"]}
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            found[operation["tags"][0]].append(_operation(path, method, operation))
    return tuple(Group(tag["name"], tag["description"], tuple(found[tag["name"]])) for tag in spec["tags"])


def shapes(spec: dict[str, Any]) -> tuple[Shape, ...]:
    """The named objects, by name."""
    return tuple(
        Shape(
            name,
            _paragraphs(schema.get("description", "")),
            tuple(
                Field(member, "", type_of(of), member in schema.get("required", ()), _said(of))
                for member, of in schema.get("properties", {}).items()
            ),
            tuple(str(value) for value in schema.get("enum", ())),
        )
        for name, schema in sorted(spec["components"]["schemas"].items())
    )


def type_of(schema: dict[str, Any]) -> str:
    """A schema in a few words; the name of an object where it has one."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(type_of(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(f'"{value}"' for value in schema["enum"])
    if "const" in schema:
        return f'"{schema["const"]}"'
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {type_of(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"map to {type_of(schema['additionalProperties'])}"
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _operation(path: str, method: str, operation: dict[str, Any]) -> Operation:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    example = content.get("example")
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=_paragraphs(operation.get("description", "")),
        security=tuple(name for scheme in operation.get("security", ()) for name in scheme),
        fields=tuple(
            Field(one["name"], one["in"], type_of(one["schema"]), one["required"], _said(one))
            for one in operation.get("parameters", ())
        ),
        takes=type_of(content["schema"]) if "schema" in content else None,
        example=json.dumps(example, ensure_ascii=False, indent=2) if example else None,
        answers=tuple(
            (status, answer["description"].replace("Successful Response", "Done"), _answer_type(answer))
            for status, answer in operation["responses"].items()
        ),
    )


def _answer_type(answer: dict[str, Any]) -> str:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return type_of(schema) if schema else ""


def _said(schema: dict[str, Any]) -> str:
    return " ".join(schema.get("description", "").split())


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.strip().split("\n\n") if part.strip())
