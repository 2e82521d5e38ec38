"""The API's OpenAPI document, and the same as a page: written here, without a script."""

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from accounts.access import Audience, open_to
from billing_portal.api import portal_api

PATH = "api/v1/"
# An enumeration longer than this is named, not listed.
MOST_NAMED = 8


@open_to(Audience.ANYONE, "GET")
def schema(_request: HttpRequest) -> HttpResponse:
    return JsonResponse(portal_api.described(PATH))


@open_to(Audience.ANYONE, "GET")
def docs(request: HttpRequest) -> HttpResponse:
    """What a program can ask for, topic by topic."""
    document = portal_api.described(PATH)
    context = {"topics": topics_of(document), "base_url": settings.SITE_URL}
    return render(request, "api/docs.html", context)


@dataclass(frozen=True)
class Field:
    """A parameter, or a part of a body. ``kind``: as people call its type."""

    name: str
    kind: str
    required: bool
    about: str


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    permission: str
    parameters: list[Field]
    sends: list[Field]
    answers: list[Field]
    content_type: str
    status: str


@dataclass(frozen=True)
class Topic:
    name: str
    operations: list[Operation]


def topics_of(document: dict[str, Any]) -> list[Topic]:
    topics: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            operation = _operation(document, path, method.upper(), told)
            topics.setdefault(told["tags"][0], []).append(operation)
    return [Topic(name, operations) for name, operations in topics.items()]


def _operation(document: dict[str, Any], path: str, method: str, told: dict[str, Any]) -> Operation:
    status, answer = next(iter(told["responses"].items()))
    return Operation(
        id=told["operationId"],
        method=method,
        path=path,
        summary=told["description"],
        permission=told.get("x-permission", ""),
        parameters=[
            Field(one["name"], _kind(document, one["schema"]), one["required"], _about(one))
            for one in sorted(told["parameters"], key=lambda one: one["in"] != "path")
        ],
        sends=_fields(document, _body(told.get("requestBody"))),
        answers=_fields(document, _body(answer)),
        content_type=next(iter(answer.get("content", {})), ""),
        status=str(status),
    )


def _body(part: dict[str, Any] | None) -> dict[str, Any]:
    content = (part or {}).get("content", {})
    return content["application/json"]["schema"] if "application/json" in content else {}


def _fields(document: dict[str, Any], schema: dict[str, Any]) -> list[Field]:
    """Its parts, and theirs below them: ``data[].id``."""
    told = _resolved(document, schema)
    required = told.get("required", [])
    fields = []
    for name, part in told.get("properties", {}).items():
        fields.append(Field(name, _kind(document, part), name in required, _about(part)))
        inner, mark = (part["items"], "[]") if "items" in part else (part, "")
        fields += [replace(below, name=f"{name}{mark}.{below.name}") for below in _fields(document, inner)]
    return fields


def _about(told: dict[str, Any]) -> str:
    return str(told.get("description", "")).replace("`", "")


def _kind(document: dict[str, Any], schema: dict[str, Any]) -> str:
    """A type in a few words, as in "list of object" or "integer or null"."""
    if "anyOf" in schema:
        return " or ".join(_kind(document, one) for one in schema["anyOf"])
    told = _resolved(document, schema)
    if "enum" in told:
        return " | ".join(told["enum"]) if len(told["enum"]) <= MOST_NAMED else "code"
    if told.get("type") == "array":
        return f"list of {_kind(document, told['items'])}"
    return str(told.get("format") or told.get("type") or "anything")


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found
