"""What an operation says of itself: its name, `@inContext`, and `@fresh` on the whole query."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from graphql import GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import VariableValues, get_directive_values

from ports.caller import Call, Caller
from ports.errors import BadInputError, ForbiddenError
from resolvers.scopes import ACT_FOR

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,8}")


def terms(
    call: Call,
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    variables: VariableValues,
) -> Call:
    """The call with the operation's own terms in it.

    Raises ForbiddenError when the caller may not act for the customer of `@inContext`,
    BadInputError for values that cannot be meant, and GraphQLError for unreadable arguments.
    """
    changes: dict[str, Any] = {"operation": operation.name.value if operation.name else None}
    fresh = _arguments("fresh", schema, operation, variables)
    if fresh is not None:
        changes["max_age"] = _seconds(fresh.get("maxAge"), "maxAge")
        changes["stale_if_error"] = _seconds(fresh.get("staleIfError"), "staleIfError")
    context = _arguments("inContext", schema, operation, variables) or {}
    if context.get("language"):
        changes["language"] = _tag(context["language"])
    if context.get("customer"):
        changes["caller"] = acting_for(call.caller, context["customer"])
    return msgspec.structs.replace(call, **changes)


def acting_for(caller: Caller, customer: str) -> Caller:
    """The caller in the name of one company that it may act for."""
    if customer == caller.customer:
        return caller
    if ACT_FOR not in caller.scopes or not caller.may_see(customer):
        raise ForbiddenError(f"This needs the scope {ACT_FOR} and a grant for this customer.")
    return msgspec.structs.replace(caller, customer=customer)


def _seconds(value: int | None, name: str) -> int | None:
    if value is not None and value < 0:
        raise BadInputError(f"{name} of @fresh must not be negative.")
    return value


def _tag(language: str) -> str:
    if not _LANGUAGE.fullmatch(language):
        raise BadInputError("language of @inContext must be a BCP 47 tag such as fr or fr-CA.")
    return language


def _arguments(
    name: str,
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    variables: VariableValues,
) -> Mapping[str, Any] | None:
    directive = schema.get_directive(name)
    if directive is None or not operation.directives:
        return None
    return get_directive_values(directive, operation, variables)
