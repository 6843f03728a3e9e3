"""Letting somebody sign up, or asking them for a proof of work first.

Nothing is asked until many places are held by people who have not confirmed, or many sign-ups came from one address or
network or for one mailbox within the hour: counted as limits are, so that an ordinary sign-up costs three sums in
memory. Every sign-up that is answered counts, whether its mailbox was
there before or not, so that the counts tell nothing of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from services.kernel import addresses, proofs
from services.kernel.auth import Actor
from services.kernel.counting import ONE, Policy
from services.kernel.limits import charge
from services.kernel.mailboxes import Mailbox
from services.kernel.proofs import Fault, Proof
from services.kernel.runtime import Runtime, of
from services.registration.proofs import rules, store
from services.registration.proofs.rules import ProofRequired

HOUR: Final = 3600
WRONG_PROOF: Final = 10
"""What a proof that solves nothing costs of the limit: to see that, the key has to be derived here too."""


@dataclass(slots=True)
class Asker:
    """Whoever wants to sign up for something: from where, and with what proof."""

    runtime: Runtime
    about: str
    """The activity or the series."""
    address: str
    actor: Actor | None
    proof: Proof | Fault | None
    is_admitted: bool = False
    spends: Proof | None = None
    """The proof by which they were admitted, which is to be used up with what they get."""

    def admit(self, mailbox: Mailbox, *, level: int | None) -> None:
        """Let them sign up, and count it; raises `ProofRequired` where they have to prove work first.

        `level` is what the activity asks of everybody. Who was admitted once is not asked again in the same request.
        """
        if self.is_admitted:
            return
        counted, levels = self._count(mailbox)
        try:
            self._check(max((each for each in (level, *levels) if each is not None), default=None))
        except ProofRequired:
            for policy, who in counted:
                self.runtime.counters.take(policy, who, -ONE)
            raise
        self.is_admitted = True

    def refuse_used(self) -> ProofRequired:
        """Why somebody else's proof is of no use."""
        assert self.spends is not None
        cost = self.spends.cost
        self.is_admitted, self.spends = False, None
        return self._required(cost, Fault.USED)

    def _count(self, mailbox: Mailbox) -> tuple[list[tuple[Policy, str]], list[int | None]]:
        """Count one sign-up from here and for the mailbox; answers what was counted and what those before ask for."""
        told = self.runtime.settings
        counted, levels = [], []
        for name, who, free in (
            ("sign-ups of an address", self.address, told.proof_after_from_address),
            ("sign-ups of a network", addresses.network_of(self.address), told.proof_after_from_network),
            ("sign-ups of a mailbox", mailbox.counted, told.proof_after_for_mailbox),
        ):
            if not free or who is None:
                continue
            policy = Policy(name, free * rules.MOST_COUNTED, HOUR)
            standing = self.runtime.counters.take(policy, who)
            if standing.allowed:
                counted.append((policy, who))
            before = policy.quota - standing.left - 1 if standing.allowed else policy.quota
            levels.append(rules.level_of_count(before, free))
        return counted, levels

    def _check(self, level: int | None) -> None:
        if level is None:
            return
        cost = rules.cost(level, least=self.runtime.settings.proof_cost)
        if not isinstance(self.proof, Proof):
            raise self._required(cost, self.proof)
        # While somebody solves one, what is asked may rise by a level.
        if 2 * self.proof.cost < cost:
            raise self._required(cost, Fault.EASIER)
        self.spends = self.proof

    def _required(self, cost: int, fault: Fault | None) -> ProofRequired:
        secret = self.runtime.settings.secret.get_secret_value()
        return ProofRequired(proofs.challenge(secret, self.about, cost=cost, now=datetime.now(UTC)), fault)


async def asker(request: Request, about: object, written: str | None, *, actor: Actor | None = None) -> Asker:
    """Who sends a request to sign up for something."""
    runtime = of(request)
    secret = runtime.settings.secret.get_secret_value()
    proof = None
    if written is not None:
        proof = await proofs.read(secret, written, str(about), now=datetime.now(UTC))
        if proof is Fault.WRONG:
            charge(request, WRONG_PROOF)
    address = addresses.client(request.scope, runtime.settings.trusted_proxies)
    return Asker(runtime, str(about), address, actor, proof)


async def spend(session: AsyncSession, asker: Asker) -> None:
    """Use up the proof by which somebody was admitted, if it took one, in the transaction of what they get."""
    if asker.spends is not None and not await store.spend(session, asker.spends):
        raise asker.refuse_used()
