"""Who may be given an answer that was made for somebody else: decided here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.execution.provenance import Provenance
from ports.caller import Caller
from resolvers.scopes import PUBLIC_SCOPES, SCOPE_OF_ROLE
from upstream.uses import Use

_ROLES: Mapping[str, bool] = {role: one in PUBLIC_SCOPES for role, one in SCOPE_OF_ROLE.items()}
_ACTS_FOR = "@inContext(customer)"


@dataclass(frozen=True, slots=True)
class Audience:
    """`caller` None: everybody who has `scopes`. Else this caller alone, as it was in all its parts."""

    caller: Caller | None
    scopes: frozenset[str] = frozenset()

    def holds(self, caller: Caller) -> bool:
        if self.caller is None:
            return self.scopes <= caller.scopes
        return self.caller == caller


def audience(made: Provenance, caller: Caller) -> Audience:
    """Of the answer to `caller`. What is not known to be the same for everybody is its own."""
    own = made.is_personal or made.mentions(_ACTS_FOR) or not made.scopes <= PUBLIC_SCOPES
    if own or not all(map(_is_public, made.uses)):
        return Audience(caller)
    return Audience(None, frozenset(made.scopes))


def _is_public(use: Use) -> bool:
    is_open = _ROLES.get(use.operation.partition(".")[0], False)
    return is_open and set(use.varies_on) <= {"language"}
