"""Lists, newest first, paged by key (https://docs.stripe.com/api/pagination)."""

from collections.abc import Sequence
from typing import Any

from stripe_simulator.errors import InvalidParameterError, missing
from stripe_simulator.store import Store

OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def as_list(data: list[Any], url: str, *, has_more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def page(
    store: Store,
    kind: str,
    url: str,
    params: dict[str, Any],
    *,
    filters: dict[str, Any] | None = None,
    where: str = "",
    values: Sequence[Any] = (),
) -> dict[str, Any]:
    """Answer one page.

    `filters` maps a JSON path to a value, a list of values or a range such as `created` takes. `where` is SQL
    that starts with AND, with its `values`.
    """
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise InvalidParameterError(
            "This value must be "
            f"{'greater than or equal to 1' if limit < 1 else 'less than or equal to 100'}.",
            param="limit",
        )
    values = list(values)
    for path, value in {"created": params.get("created"), **(filters or {})}.items():
        if value is None:
            continue
        field = f"json_extract(body, '$.{path}')"
        if isinstance(value, dict):
            for operator, bound in value.items():
                where += f" AND {field} {OPERATORS[operator]} ?"
                values.append(bound)
        else:
            choices = value if isinstance(value, list) else [value]
            where += f" AND {field} IN ({', '.join('?' * len(choices))})"
            values += choices
    forward = "ending_before" not in params
    cursor = params.get("starting_after" if forward else "ending_before")
    if cursor is not None:
        rows = store.execute("SELECT seq FROM objects WHERE id = ? AND kind = ?", (cursor, kind))
        if not rows:
            raise missing(kind, cursor, param="starting_after" if forward else "ending_before")
        where += f" AND seq {'<' if forward else '>'} ?"
        values.append(rows[0]["seq"])
    found = store.select(kind, where=where, values=values, limit=limit + 1, oldest_first=not forward)
    data = found[:limit]
    return as_list(data if forward else data[::-1], url, has_more=len(found) > limit)
