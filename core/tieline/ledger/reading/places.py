"""Where a page of records starts, as an opaque cursor: records have the provider's ids, which are only texts."""

from __future__ import annotations

from dataclasses import dataclass

from tieline.errors import CursorInvalid
from tieline.pages import pack, unpack

_BETWEEN = "/"  # no dataset has it in its name


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """After this record: an id is unique within a dataset only."""

    sort_key: str
    external_id: str
    dataset: str


def encode_place(listed: str, place: Place) -> str:
    return pack(listed, place.sort_key, f"{place.dataset}{_BETWEEN}{place.external_id}")


def decode_place(listed: str, text: str | None) -> Place | None:
    """The place that a cursor of this very list names. Raises CursorInvalid."""
    if text is None:
        return None
    try:
        of, sort_key, which = unpack(text, str, str, str)
        f"{sort_key}{which}".encode()
    except ValueError as broken:
        raise CursorInvalid from broken
    dataset, between, external_id = which.partition(_BETWEEN)
    if of != listed or not between or "\x00" in sort_key + which:
        raise CursorInvalid
    return Place(sort_key=sort_key, external_id=external_id, dataset=dataset)
