"""Errors as a client reads them: what is told, what is masked, what is logged."""

from typing import Any

import pytest
from graphql import GraphQLError, parse
from strawberry.exceptions import StrawberryInputCoercionError
from structlog.testing import capture_logs

from gateway.execution.errors import (
    MAX_MESSAGE_CHARACTERS,
    execution_entries,
    plain_entry,
    port_entry,
    request_entries,
    whole_seconds,
    without_suggestions,
)
from ports.errors import (
    BadInputError,
    ForbiddenError,
    MalformedError,
    NotConfiguredError,
    PortError,
    ThrottledError,
    UnavailableError,
)

QUERY: Any = parse("{ price(quantity: 1) }")
FIELD = QUERY.definitions[0].selection_set.selections[0]
ARGUMENT = FIELD.arguments[0]
ERP: dict[str, Any] = {"system": "ERP", "upstream": "erp-fr", "operation": "pricing.prices"}


def entry_of(cause: Exception | None, message: str = "as raised", **more: Any) -> dict[str, Any]:
    error = GraphQLError(message, [FIELD], path=["price"], original_error=cause, **more)
    (entry,) = execution_entries([error], "r1")
    return dict(entry)


@pytest.mark.parametrize(
    ("cause", "message", "extensions"),
    [
        (
            ThrottledError(**ERP, detail="vendor says: hunter2", retry_after=2.1),
            "ERP (erp-fr) limits how often it may be asked.",
            {
                "code": "UPSTREAM_THROTTLED",
                "system": "ERP",
                "upstream": "erp-fr",
                "retryable": True,
                "retryAfter": 3,
            },
        ),
        (
            MalformedError(**ERP, retry_after=float("inf")),
            "ERP (erp-fr) gave an answer that cannot be read.",
            {
                "code": "UPSTREAM_MALFORMED",
                "system": "ERP",
                "upstream": "erp-fr",
                "retryable": False,
            },
        ),
        (
            NotConfiguredError("OMS", "returns"),
            "No system is configured for returns.",
            {"code": "SYSTEM_NOT_CONFIGURED", "system": "OMS", "retryable": False},
        ),
        (
            BadInputError("A quantity is positive."),
            "A quantity is positive.",
            {"code": "BAD_USER_INPUT", "retryable": False},
        ),
        (ForbiddenError("Not yours."), "Not yours.", {"code": "FORBIDDEN", "retryable": False}),
    ],
)
def test_port_errors_are_told(cause: PortError, message: str, extensions: dict[str, Any]) -> None:
    assert entry_of(cause) == {
        "message": message,
        "locations": [{"line": 1, "column": 3}],
        "path": ["price"],
        "extensions": {**extensions, "requestId": "r1"},
    }
    assert port_entry(cause, "r1") == {
        "message": message,
        "extensions": {**extensions, "requestId": "r1"},
    }


def test_a_port_error_is_found_within_a_group_and_behind_a_graphql_error() -> None:
    down = UnavailableError(**ERP)
    group = ExceptionGroup("several", [ValueError(), ExceptionGroup("inner", [down])])
    wrapped = GraphQLError("outer", original_error=group)
    assert entry_of(wrapped)["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"


@pytest.mark.parametrize(
    "cause",
    [
        RuntimeError("hunter2"),
        TypeError("Cannot return null for non-nullable field Query.hunter2."),
        ExceptionGroup("hunter2", [ValueError("hunter2")]),
        GraphQLError("String cannot represent value: <hunter2>"),
        GraphQLError("hunter2", original_error=KeyError("hunter2")),
        None,
    ],
)
def test_anything_else_is_masked_and_logged(cause: Exception | None) -> None:
    with capture_logs() as logs:
        entry = entry_of(cause, "hunter2")
    assert entry["message"] == "Internal error."
    assert entry["path"] == ["price"]
    assert entry["extensions"] == {"code": "INTERNAL", "retryable": False, "requestId": "r1"}
    assert "hunter2" not in str(entry)
    (logged,) = logs
    assert logged["event"] == "field failed"
    assert logged["request_id"] == "r1"
    assert isinstance(logged["exc_info"], Exception)


def test_one_exception_of_many_fields_is_logged_once() -> None:
    cause = RuntimeError()
    errors = [GraphQLError("x", path=[index], original_error=cause) for index in range(5)]
    with capture_logs() as logs:
        entries = execution_entries(errors, "r1")
    assert [entry["path"] for entry in entries] == [[0], [1], [2], [3], [4]]
    assert len(logs) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GraphQLError("Told.", extensions={"code": "TEAPOT"}), "TEAPOT"),
        (
            GraphQLError("Told.", original_error=GraphQLError("", extensions={"code": "TEAPOT"})),
            "TEAPOT",
        ),
        (GraphQLError("Told.", [ARGUMENT]), "BAD_USER_INPUT"),
        (
            GraphQLError("Told.", [FIELD], original_error=StrawberryInputCoercionError("")),
            "BAD_USER_INPUT",
        ),
    ],
)
def test_graphql_errors_meant_for_clients_are_told(error: GraphQLError, code: str) -> None:
    (entry,) = execution_entries([error], "r1")
    assert entry["message"] == "Told."
    assert entry["extensions"] == {"code": code, "retryable": False, "requestId": "r1"}


def test_request_errors() -> None:
    quoted = "Expected value of type 'Int', but encountered error 'hunter2'; found: 1."
    errors = [
        GraphQLError("Plain.", [FIELD]),
        GraphQLError("Own code.", extensions={"code": "BAD_USER_INPUT"}),
        GraphQLError(quoted, original_error=ValueError("hunter2")),
        GraphQLError(quoted.replace("hunter2", "Ours"), original_error=BadInputError("Ours")),
        GraphQLError("x" * 100_000),
    ]
    entries = request_entries(errors, "GRAPHQL_VALIDATION_FAILED", "r1")
    plain, own, masked, ours, long = entries
    assert plain == {
        "message": "Plain.",
        "locations": [{"line": 1, "column": 3}],
        "extensions": {"code": "GRAPHQL_VALIDATION_FAILED", "retryable": False, "requestId": "r1"},
    }
    assert own["extensions"] == {"code": "BAD_USER_INPUT", "retryable": False, "requestId": "r1"}
    assert masked["message"] == "Expected value of type 'Int'."
    assert "Ours" in str(ours["message"])
    assert len(str(long["message"])) == MAX_MESSAGE_CHARACTERS + 1


def test_plain_entries() -> None:
    assert plain_entry("No.", "NO", "r1", retryable=True) == {
        "message": "No.",
        "extensions": {"code": "NO", "retryable": True, "requestId": "r1"},
    }


@pytest.mark.parametrize(
    ("told", "seconds"), [(None, None), (0.1, 1), (2, 2), (-1, 0), (float("nan"), None)]
)
def test_whole_seconds(told: float | None, seconds: int | None) -> None:
    assert whole_seconds(told) == seconds


def test_strangers_are_not_told_what_else_there_is() -> None:
    told = GraphQLError('Cannot query field "nam" on type "Product". Did you mean "name"?')

    (entry,) = without_suggestions(request_entries([told], "GRAPHQL_VALIDATION_FAILED", "r1"))

    assert entry["message"] == 'Cannot query field "nam" on type "Product".'
    assert entry["extensions"] == {
        "code": "GRAPHQL_VALIDATION_FAILED",
        "retryable": False,
        "requestId": "r1",
    }
