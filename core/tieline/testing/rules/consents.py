"""Rules about sign-ins: who consented, what that reaches, and what happens when tokens end."""

from __future__ import annotations

import re
from collections import Counter

from tieline.errors import AccessLost, ConsentGone, ProviderError, ScopeMissing
from tieline.testing.bench import Bench
from tieline.testing.reading import SMALL, Kept, read
from tieline.testing.rule import rule

_LONGEST_SUBJECT, _LONGEST_ID = 200, 100
_ENDED = (ConsentGone, AccessLost, ScopeMissing)
_COUNTRY, _CURRENCY = re.compile("[A-Z]{2}"), re.compile("[A-Z]{3}")


@rule(
    says="Two consents of one person have the same subject, whose id has 1 to 200 characters.",
    mend="Take the claim that the provider calls stable, or the company where a consent is for one company.",
)
async def subjects_stay(bench: Bench) -> None:
    one, other = (await bench.login()).subject, (await bench.login()).subject
    if one.id != other.id:
        raise subjects_stay.broken("the second consent had another")
    if not 0 < len(one.id) <= _LONGEST_SUBJECT:
        raise subjects_stay.broken("the id does not fit")
    if not bench.provider.info.bulk_consent and one.id != bench.pretender.organisation:
        raise subjects_stay.broken("a consent is for one organisation, and its id is not the subject's")


@rule(
    says="organisations lists all that the login reaches, each once, and marks what the consent brought.",
    mend="Leave none out, and raise where an entry cannot be read: what is missing counts as revoked.",
)
async def logins_show_what_they_reach(bench: Bench) -> None:
    login = await bench.login()
    session = await bench.session(login, is_bound=False)
    reached = await bench.provider.organisations(session, login.consent)
    counts = Counter(one.external_id for one in reached)
    if counts[bench.pretender.organisation] != 1 or max(counts.values()) > 1:
        raise logins_show_what_they_reach.broken("the consented one is not there once")
    for one in reached:
        if not 0 < len(one.external_id) <= _LONGEST_ID or not one.name.strip():
            raise logins_show_what_they_reach.broken("one has no name, or no id of 1 to 100 characters")
        if one.external_id == bench.pretender.organisation and not one.consented:
            raise logins_show_what_they_reach.broken("the consented one is not marked")


@rule(
    says="An organisation has a name, a country of two letters and a currency of three, or None for these.",
    mend="Turn the provider's words into ISO 3166 alpha-2 and ISO 4217, and say None for others.",
)
async def details_are_in_standard_words(bench: Bench) -> None:
    login = await bench.login()
    details = await bench.provider.organisation(await bench.session(login))
    if not details.name.strip():
        raise details_are_in_standard_words.broken("it has no name")
    if details.country is not None and not _COUNTRY.fullmatch(details.country):
        raise details_are_in_standard_words.broken("its country is something else")
    if details.currency is not None and not _CURRENCY.fullmatch(details.currency):
        raise details_are_in_standard_words.broken("its currency is something else")


@rule(
    says="To let an organisation go that is gone already does no harm.",
    mend="Catch NotAtProvider, and whatever else the provider says of what is not there.",
)
async def letting_go_twice_is_harmless(bench: Bench) -> None:
    login = await bench.login()
    for _ in range(2):
        session = await bench.session(login, is_bound=False)
        try:
            await bench.provider.release(session, bench.pretender.organisation)
        except (AccessLost, ConsentGone):
            return  # the login ended with its last organisation
        except ProviderError as error:
            raise letting_go_twice_is_harmless.broken(f"{type(error).__name__} came") from error


@rule(
    says="A token that grows too old amid a reading is renewed once, and the reading goes on.",
    mend="Let classify say TokenExpired for it, and for nothing that a new token does not mend.",
)
async def old_tokens_are_renewed(bench: Bench) -> None:
    login = await bench.login()
    there = await bench.pretender.books()
    for feed in bench.feeds:
        kept = Kept()
        if not (await read(bench, login, feed, onto=kept, halved=SMALL, pages=1)).is_over:
            await bench.pretender.expire()
            before = login.renewed_times
            try:
                await read(bench, login, feed, onto=kept, halved=SMALL)
            except ProviderError as error:
                raise old_tokens_are_renewed.broken(f"{type(error).__name__} came") from error
            if login.renewed_times != before + 1:
                raise old_tokens_are_renewed.broken(f"it was {login.renewed_times - before} times")
            if any(not set(there.get(dataset, ())) <= kept.ids(dataset) for dataset in feed.datasets):
                raise old_tokens_are_renewed.broken(f"records of {feed.name!r} were lost with it")
            return
    raise old_tokens_are_renewed.broken("no feed has more than one page: the pretender's books are too small")


@rule(
    says="A consent that was taken back ends a reading with ConsentGone, AccessLost or ScopeMissing.",
    mend="Let classify say TokenExpired, AccessLost or ScopeMissing for what the provider answers then.",
)
async def ended_consents_are_noticed(bench: Bench) -> None:
    login = await bench.login()
    await bench.pretender.revoke()
    for feed in bench.feeds:
        try:
            await read(bench, login, feed, pages=1)
        except _ENDED:
            continue
        except ProviderError as error:
            raise ended_consents_are_noticed.broken(f"{type(error).__name__} came") from error
        raise ended_consents_are_noticed.broken(f"its feed {feed.name!r} gave a page")


RULES = (
    subjects_stay,
    logins_show_what_they_reach,
    details_are_in_standard_words,
    letting_go_twice_is_harmless,
    old_tokens_are_renewed,
    ended_consents_are_noticed,
)
