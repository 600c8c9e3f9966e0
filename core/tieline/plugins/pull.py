"""What a plugin hands over when a feed is read: pages of records, and the cursor to store with each.

Page ── records     as they are now; the same one may come again, later or in another page
     ── set_aside   those that cannot be read, each with a sentence; the page goes on without them
     ── gone        those that were deleted at the provider
     ── cursor      where to go on once this page is stored
     ── last        nothing is left to ask for now
     ── whole       all of a feed of CHANGES was shown: the rest is gone
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tieline.canonical import JSONObject

MAX_CURSOR_BYTES = 4096


class CursorTooOld(Exception):
    """Nothing can be read on from this cursor: raised by `pull`, which is then asked again without one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """`data` is a canonical record as `canonical.to_data` writes it. `updated_at` is the provider's own time."""

    dataset: str
    external_id: str
    name: str | None
    code: str | None
    active: bool
    updated_at: datetime | None
    data: JSONObject


@dataclass(frozen=True, kw_only=True, slots=True)
class SetAside:
    """One record that could not be read. `external_id` is empty where it is the id that is missing.

    `why` is a sentence for people; it quotes nothing of the record.
    """

    dataset: str
    external_id: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """`gone` are (dataset, external id). `cursor` is the plugin's own text, of at most `MAX_CURSOR_BYTES`.

    The cursor of a feed of CHANGES goes on after this page; that of its last page begins the next reading. A
    feed of SNAPSHOT needs one only to go on within the snapshot: None on its last page, or where it has but one.

    `whole` may stand on the last page of a feed of CHANGES whose reading began without a cursor: everything that is
    there was shown since, so what was not is gone. A SNAPSHOT is always whole.
    """

    records: tuple[Record, ...]
    set_aside: tuple[SetAside, ...] = ()
    gone: tuple[tuple[str, str], ...] = ()
    cursor: str | None
    last: bool
    whole: bool = False

    def __post_init__(self) -> None:
        if self.cursor is not None and len(self.cursor.encode()) > MAX_CURSOR_BYTES:
            raise ValueError(f"A cursor has at most {MAX_CURSOR_BYTES} bytes.")
