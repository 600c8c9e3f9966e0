"""One trip to the consent page: its state, its PKCE verifier, its address, and the proof that comes back with it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from tieline.credentials.apps.repository import App
from tieline.credentials.service import endpoints_of
from tieline.host import host
from tieline.ids import ConnectionId, PersonId, PracticeId, RoundId, SignInId, new_id
from tieline.plugins import Challenge, Product, Provider, authorization_url
from tieline.sign_ins.actors import forget_sign_in
from tieline.sign_ins.models import ConsentRoundRow
from tieline.sign_ins.places import verifier_place
from tieline.sign_ins.rounds.repository import RoundRepository
from tieline.sign_ins.states import CHECK_PAUSE, ROUND_LIFE
from tieline.vault import Secret
from tieline.work import Work

_STATE_BYTES = 32
MAX_OUT = 10
"""So many consent pages a person may have open; the oldest one is over when another is opened."""


def hashed(text: str) -> bytes:
    """SHA-256: what is hashed here holds 256 random bits, so a slow hash would protect nothing."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def proof_of(verifier: Secret, state: str) -> Secret:
    """What only our own callback can tell of a round: the same for every reload, kept nowhere in the open."""
    digest = hmac.digest(verifier.reveal().encode(), f"proof:{state}".encode(), "sha256")
    return Secret(base64.urlsafe_b64encode(digest).rstrip(b"=").decode())


async def begin_round(
    work: Work,
    person_id: PersonId,
    sign_in_id: SignInId,
    app: App,
    provider: Provider,
    products: Sequence[Product],
    *,
    preselect: str | None,
    connection_id: ConnectionId | None = None,
) -> str:
    """Add a round to the sign-in; where the browser goes for it. Its state stands in the address and nowhere else.

    `preselect` is the organisation that a person is to choose, by the provider's id; `connection_id` the connection
    that this round is for, and not its whole sign-in.

    While somebody is at the provider nothing is revoked there, so a person has only so many rounds out.
    """
    state, challenge, round_id = secrets.token_urlsafe(_STATE_BYTES), Challenge.make(), RoundId(new_id())
    rounds = RoundRepository.of(app.practice_id)
    await rounds.close_oldest(person_id, keep=MAX_OUT - 1, at=work.now)
    await rounds.add(
        ConsentRoundRow(
            id=round_id,
            practice_id=app.practice_id,
            sign_in_id=sign_in_id,
            connection_id=connection_id,
            state_hash=hashed(state),
            verifier_sealed=host().vault.seal(challenge.verifier, verifier_place(app.practice_id, round_id)),
            created_at=work.now,
            expires_at=work.now + ROUND_LIFE,
        )
    )
    forget_later(work, app.practice_id, sign_in_id)
    return authorization_url(
        provider.oauth,
        endpoints_of(app),
        client_id=app.client_id,
        redirect_uri=host().callback_url(app.provider, app.id),
        state=state,
        challenge=challenge,
        scopes=provider.oauth.scopes_for(products),
        preselect=preselect,
    )


def forget_later(work: Work, practice_id: PracticeId, sign_in_id: SignInId, *, soon: bool = False) -> None:
    """See to it that somebody looks when the round is over; whoever looks knows when to look again.

    `soon`: there is something to check, in case that whoever is about to does not get to it.
    """
    work.enqueue(
        forget_sign_in,
        key=str(sign_in_id),
        due_at=work.now + (CHECK_PAUSE if soon else ROUND_LIFE),
        practice_id=str(practice_id),
        sign_in_id=str(sign_in_id),
    )
