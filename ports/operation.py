"""What the guard must know of a port operation: its shape, what its answer varies on, lifetimes.

Declared beside the operation, so that a vendor cannot forget it. Undeclared means private.
"""

from collections.abc import Callable
from typing import Literal, TypeVar

import msgspec

F = TypeVar("F", bound=Callable[..., object])
Variance = Literal["language", "customer", "caller"]


class Operation(msgspec.Struct, frozen=True, gc=False):
    """`batch`: the first argument is a sequence of keys and the answer a mapping of them.

    `varies_on` is all that the answer depends on beside the arguments. `max_age` and
    `stale_if_error` are seconds, the defaults of the contract's `@cacheControl`.
    """

    shape: Literal["batch", "single"]
    varies_on: tuple[Variance, ...] = ("language", "customer", "caller")
    max_age: int = 0
    stale_if_error: int = 0


def batch(
    *, varies_on: tuple[Variance, ...], max_age: int, stale_if_error: int
) -> Callable[[F], F]:
    return _declared(Operation("batch", varies_on, max_age, stale_if_error))


def single(
    *, varies_on: tuple[Variance, ...], max_age: int, stale_if_error: int
) -> Callable[[F], F]:
    return _declared(Operation("single", varies_on, max_age, stale_if_error))


def operations(port: type) -> dict[str, Operation]:
    """The declared operations of a port Protocol, by method name."""
    declared = {name: getattr(member, "__operation__", None) for name, member in vars(port).items()}
    return {name: found for name, found in declared.items() if isinstance(found, Operation)}


def _declared(operation: Operation) -> Callable[[F], F]:
    def mark(function: F) -> F:
        function.__operation__ = operation  # type: ignore[attr-defined]
        return function

    return mark
