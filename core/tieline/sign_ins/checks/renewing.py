"""Renewing a pair that waits to be checked: access tokens last an hour, and a provider may be away for longer."""

from __future__ import annotations

from tieline import clock
from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.apps.service import endpoints_of, provider_of, secret_of
from tieline.credentials.pairs import Pair
from tieline.database import scope
from tieline.errors import ConsentGone, NotFound
from tieline.host import host
from tieline.ids import RoundId
from tieline.plugins import GrantRejected, TokenSet, read_tokens, refresh_request, send
from tieline.principal import Principal
from tieline.sign_ins.checks.repository import CheckRepository
from tieline.sign_ins.keeping import sealed_for
from tieline.work import retrying, unit_of_work

_HTTP_SECONDS = 15.0


async def renewed(app: App, round_id: RoundId, pair: Pair) -> Pair:
    """The pair that follows, kept before anyone uses it; only whoever holds the round's lease may ask for it.

    Raises ConsentGone where the provider does not take the token any more, and other errors of a provider.
    """
    try:
        tokens = await _ask(app, pair)
    except GrantRejected as rejected:
        raise ConsentGone(app.provider) from rejected
    life = provider_of(app).oauth.refresh_life
    following = pair.followed_by(tokens, at=clock.now(), refresh_life=life)
    await _keep(app, round_id, following)
    return following


async def _ask(app: App, pair: Pair) -> TokenSet:
    if pair.refresh is None:
        raise GrantRejected(app.provider)
    async with scope(app.practice_id):
        sealed = await AppRepository.of(app.practice_id).sealed_secret(app.id)
    if sealed is None:
        raise NotFound("app", app.id)
    oauth = provider_of(app).oauth
    request = refresh_request(
        oauth,
        endpoints_of(app),
        client_id=app.client_id,
        client_secret=secret_of(app, sealed),
        refresh=pair.refresh,
    )
    answer = await send(host().client, request, provider=app.provider, seconds=_HTTP_SECONDS)
    field = oauth.hard_expiry_field
    return read_tokens(app.provider, *answer, asked_scopes=pair.scopes, hard_expiry_field=field)


@retrying
async def _keep(app: App, round_id: RoundId, pair: Pair) -> None:
    async with unit_of_work(Principal.machine(app.practice_id)):
        await CheckRepository.of(app.practice_id).renew(round_id, sealed_for(app, round_id, pair))
