"""What a sign-in goes back to when one of its rounds came to nothing."""

from __future__ import annotations

from tieline.sign_ins.repository import SignIn, SignInRepository
from tieline.sign_ins.rounds.repository import RoundRepository
from tieline.sign_ins.states import Failure, SignInState, state_after_refusal
from tieline.work import Work


async def fall_back(work: Work, sign_in: SignIn, failure: Failure) -> None:
    """What the sign-in has already, it keeps; without anything it has failed, and why. It is locked."""
    others = await RoundRepository.of(sign_in.practice_id).of_sign_in(sign_in.id)
    state = state_after_refusal(
        ready=sign_in.ready_at is not None, pending=any(each.is_pending(work.now) for each in others)
    )
    await SignInRepository.of(sign_in.practice_id).set_state(
        sign_in.id, state, failure=failure if state is SignInState.FAILED else None, at=work.now
    )
