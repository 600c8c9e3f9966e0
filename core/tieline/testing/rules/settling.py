"""Rules about what a practice may settle about a connection: what people are offered has to be there."""

from __future__ import annotations

from tieline.testing.bench import Bench
from tieline.testing.reading import read
from tieline.testing.rule import Rule, rule


@rule(
    says="Where a setting of a connection names a record, a reading shows active ones to choose from.",
    mend="Name the dataset of the records that people are to choose from, as its feed fills it.",
)
async def settings_can_be_chosen(bench: Bench) -> None:
    wanted = {each.dataset for each in bench.provider.info.connection_settings if each.dataset is not None}
    if not wanted:
        return
    login = await bench.login()
    shown: set[str] = set()
    for feed in bench.feeds:
        if wanted & set(feed.datasets):
            kept = await read(bench, login, feed)
            shown |= {dataset for (dataset, _), record in kept.records.items() if record.active}
    missing = sorted(wanted - shown)
    if missing:
        raise settings_can_be_chosen.broken(f"no active record of {missing[0]!r} was shown")


RULES: tuple[Rule, ...] = (settings_can_be_chosen,)
