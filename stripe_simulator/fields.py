"""How parameters change an object's fields: empty unsets, metadata merges by key."""

from typing import Any

from stripe_simulator.limits import check_metadata_size

Json = dict[str, Any]


def emptied(value: Any) -> Any:
    return None if value == "" else value


def merged_metadata(before: Json | None, change: Any) -> Json:
    """An empty value removes its key, an empty string all keys (https://docs.stripe.com/api/metadata)."""
    if change == "":
        return {}
    merged = {**(before or {}), **(change or {})}
    metadata = {key: value for key, value in merged.items() if value != ""}
    check_metadata_size(metadata)
    return metadata


def apply(body: Json, params: Json, names: str) -> None:
    """Copy the named parameters that were given onto the object."""
    for name in names.split():
        if name in params:
            body[name] = emptied(params[name])
    if "metadata" in params:
        body["metadata"] = merged_metadata(body.get("metadata"), params["metadata"])


def full_address(given: Any) -> Json | None:
    if not given:
        return None
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {name: emptied(given.get(name)) for name in names}
