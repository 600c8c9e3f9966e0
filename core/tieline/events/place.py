"""Where the feed of events stands, as SQL: the place that everything which is told later stands behind.

Nobody may be told a place that a breakdown of the database takes back. What was committed stays, but the numbers of
transactions that were given up last may be forgotten and be given out again. So the place is right behind the last
event of the practice, which is kept, and not behind the last transaction. Where that event is long past, the place is
as many transactions back as nobody gives up without one being committed in between.
"""

from __future__ import annotations

GIVEN_UP = 10_000

FEED = f"""feed.epoch, greatest(
           feed.pruned_below::text::bigint, pg_snapshot_xmin(pg_current_snapshot())::text::bigint - {GIVEN_UP},
           (SELECT last.xid::text::bigint + 1 FROM event AS last
             WHERE last.practice_id = $1 AND last.xid < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY last.xid DESC, last.position DESC LIMIT 1)) AS reached"""  # noqa: S608 - a number of ours
"""`epoch` and `reached` of a statement that reads the table `feed`; `$1` is the practice."""
