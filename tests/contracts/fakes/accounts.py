"""Accounts and addresses kept in memory: what the port promises, with no system behind it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ports.accounts import Accounts, CustomerAccount
from ports.caller import Call
from ports.common import Address, Answers
from ports.errors import UpstreamError


class FakeAccounts:
    """`calls` names the operations asked; `fail_with` makes all fail until it gets None."""

    def __init__(
        self,
        accounts: Mapping[str, CustomerAccount | UpstreamError],
        addresses: Mapping[str, tuple[Address, ...]] | None = None,
    ) -> None:
        self._accounts = accounts
        self._addresses = addresses or {}
        self._failure: UpstreamError | None = None
        self.calls: list[str] = []

    def fail_with(self, error: UpstreamError | None) -> None:
        self._failure = error

    async def accounts(
        self, customers: Sequence[str], /, *, call: Call
    ) -> Answers[str, CustomerAccount]:
        self._asked("accounts")
        return {key: self._accounts[key] for key in customers if key in self._accounts}

    async def addresses(
        self, customers: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Address, ...]]:
        self._asked("addresses")
        return {key: self._addresses[key] for key in customers if key in self._addresses}

    def _asked(self, operation: str) -> None:
        self.calls.append(operation)
        if self._failure is not None:
            raise self._failure


if TYPE_CHECKING:
    _: type[Accounts] = FakeAccounts
