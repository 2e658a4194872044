"""Errors that were told hold the frames they came through, and those hold them in turn.

Nobody reads these any more, so they end here: otherwise all that a failed operation had in its hands
stays until the collector looks for cycles, which it does seldom.
"""

from graphql import GraphQLError


def let_go(*errors: BaseException) -> None:
    """Takes the traces from errors and from what they were raised over."""
    left: list[BaseException | None] = [*errors]
    seen: set[int] = set()
    while left:
        error = left.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        error.__traceback__ = None
        left += (error.__cause__, error.__context__)
        if isinstance(error, GraphQLError):
            left.append(error.original_error)
        elif isinstance(error, BaseExceptionGroup):
            left += error.exceptions
