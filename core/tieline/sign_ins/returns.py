"""A browser that is back from a provider: whose round it is back with, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass

from tieline.credentials.apps.repository import App, AppRepository
from tieline.credentials.apps.service import secret_of
from tieline.database import scope, system_scope
from tieline.host import host
from tieline.ids import AppId, ConnectionId, PracticeId, SignInId
from tieline.plugins import Provider
from tieline.sign_ins.addresses import with_answer
from tieline.sign_ins.places import verifier_place
from tieline.sign_ins.repository import SignIn, SignInRepository
from tieline.sign_ins.rounds.repository import Round, RoundRepository, round_of_state
from tieline.sign_ins.states import Failure, sentence_of
from tieline.sign_ins.trips import hashed, proof_of
from tieline.vault import Secret

_STATE_LENGTH = 200
_COME_BACK = "You have signed in: go back to where you began."


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentAnswer:
    """What to tell the browser: a proof or a failure, as a redirect where there is a `location`, else on a page."""

    return_url: str | None
    sign_in_id: SignInId | None
    proof: Secret | None
    failure: Failure | None
    sentence: str

    @property
    def location(self) -> str | None:
        """Where the browser goes, with `signIn` and either `proof` or `error`; it holds the proof in the open."""
        if self.return_url is None or self.sign_in_id is None:
            return None
        outcome = {"error": self.failure.value} if self.failure else {}
        if self.proof is not None:
            outcome = {"proof": self.proof.reveal()}
        return with_answer(self.return_url, {"signIn": str(self.sign_in_id)} | outcome)


NOWHERE = ConsentAnswer(
    return_url=None,
    sign_in_id=None,
    proof=None,
    failure=Failure.UNKNOWN_STATE,
    sentence=sentence_of(Failure.UNKNOWN_STATE),
)
"""For a state that is not ours: we do not know where to send the browser, and do not trust it to say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Return:
    """A browser that is back with a round of ours, and all that its code is exchanged with."""

    sign_in: SignIn
    round: Round
    app: App
    provider: Provider
    verifier: Secret
    secret: Secret
    proof: Secret

    @property
    def practice_id(self) -> PracticeId:
        return self.app.practice_id

    @property
    def connection_id(self) -> ConnectionId | None:
        """The connection whose organisation the consent is to be for, if it is for one."""
        return self.round.connection_id or self.sign_in.connection_id

    def granted(self) -> ConsentAnswer:
        return self._answer(self.proof, None, _COME_BACK)

    def failed(self, failure: Failure) -> ConsentAnswer:
        return self._answer(None, failure, sentence_of(failure))

    def _answer(self, proof: Secret | None, failure: Failure | None, sentence: str) -> ConsentAnswer:
        return ConsentAnswer(
            return_url=self.sign_in.return_url,
            sign_in_id=self.sign_in.id,
            proof=proof,
            failure=failure,
            sentence=sentence,
        )


async def find_return(provider_slug: str, app_id: AppId, state: str) -> Return | None:
    """Whose round this state is of, if it may come back on this app's path."""
    provider = host().registry.get(provider_slug)
    if provider is None or not 0 < len(state) <= _STATE_LENGTH:
        return None
    async with system_scope():
        found = await round_of_state(hashed(state))
    if found is None or (found.provider, found.app_id) != (provider_slug, app_id):
        return None
    async with scope(found.practice_id):
        rounds, apps = RoundRepository.of(found.practice_id), AppRepository.of(found.practice_id)
        sign_in = await SignInRepository.of(found.practice_id).read(found.sign_in_id)
        round_now, app = await rounds.get(found.round_id), await apps.get(app_id)
        sealed_secret = await apps.sealed_secret(app_id)
        sealed_verifier = await rounds.sealed_verifier(found.round_id)
    if not (sign_in and round_now and app and sealed_secret and sealed_verifier):
        return None  # forgotten between the two looks
    verifier = host().vault.open(sealed_verifier, verifier_place(found.practice_id, found.round_id))
    return Return(
        sign_in=sign_in,
        round=round_now,
        app=app,
        provider=provider,
        verifier=verifier,
        secret=secret_of(app, sealed_secret),
        proof=proof_of(verifier, state),
    )
