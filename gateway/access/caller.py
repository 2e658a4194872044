"""The caller of a request. Until callers are authenticated it is one fixed caller, made only here."""

from typing import Protocol

from ports.caller import Caller, CallerKind

ACT_FOR = "customers:act-for"


class FixedCaller(Protocol):
    """What `[access.caller]` of the settings holds."""

    @property
    def subject(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def customer(self) -> str | None: ...
    @property
    def scopes(self) -> tuple[str, ...]: ...
    @property
    def name(self) -> str | None: ...
    @property
    def email(self) -> str | None: ...


def fixed_caller(settings: FixedCaller) -> Caller:
    """Bound to its one customer; staff sees all of them."""
    kind = CallerKind(settings.kind)
    own = frozenset() if settings.customer is None else frozenset({settings.customer})
    return Caller(
        subject=settings.subject,
        kind=kind,
        customer=settings.customer,
        customers=None if kind is CallerKind.STAFF else own,
        scopes=frozenset(settings.scopes),
        name=settings.name,
        email=settings.email,
    )
