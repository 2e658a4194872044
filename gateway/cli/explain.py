"""`passerelle explain`: which systems an operation asks, told before it runs or by a gateway."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from graphql import FragmentDefinitionNode, GraphQLError, GraphQLSchema

from gateway.app import Wiring
from gateway.cli import explain_printing
from gateway.execution.explain_plan import Subject, plan_of
from gateway.execution.explain_report import Cost, Explanation
from gateway.execution.explain_sources import PaceOf, Sources, lately
from gateway.execution.fresh import FreshFields
from gateway.execution.terms import terms
from gateway.execution.variables import Coercion
from gateway.operations.cost import Costs
from gateway.operations.documents import DocumentError, Documents, operation_of
from gateway.operations.request import GraphQLRequest, RequestError
from gateway.settings import Settings
from gateway.telemetry.journal.search import Reader
from gateway.telemetry.journal.store import JournalUnavailableError
from ports.caller import Call, Caller, CallerKind
from ports.errors import BadInputError
from resolvers.context import Fresh
from resolvers.context import Path as Place
from resolvers.scopes import ALL_SCOPES
from schema.build import schema
from upstream.connector import Upstream
from upstream.paces import Pace, pace

if TYPE_CHECKING:
    import httpx2

SECONDS = 60.0
_JOURNALED_SECONDS = 86_400.0
_JOURNALED_CALLS = 256


class ExplainError(Exception):
    """It cannot be explained; the text says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """`query` is a document, the name of a file with one, or `-` for the standard input."""

    query: str
    variables: str = "{}"
    operation: str | None = None

    def request(self) -> GraphQLRequest:
        """Raises ExplainError."""
        try:
            variables = json.loads(self.variables)
        except ValueError as problem:
            raise ExplainError(f"--variables: is not valid JSON: {problem}") from problem
        if not isinstance(variables, dict):
            raise ExplainError("--variables: must be a JSON object")
        return GraphQLRequest(_text(self.query), variables, self.operation, {"explain": True})


def explain(settings: Settings, question: Question, *, as_json: bool) -> int:
    """0; 1 for an operation that the gateway would refuse for its cost, 2 for no valid one."""

    async def told() -> Explanation:
        wiring = Wiring(settings)
        try:
            with _journaled(settings) as pace_of:
                return foreseen(question.request(), settings, wiring.sources(pace_of))
        finally:
            await wiring.aclose()

    return _shown(lambda: asyncio.run(told()), as_json=as_json)


def explain_by(address: str, question: Question, *, as_json: bool) -> int:
    """The same by a gateway that runs it; PASSERELLE_API_KEY or PASSERELLE_TOKEN goes to it."""
    return _shown(lambda: _asked(address, question.request()), as_json=as_json)


def foreseen(request: GraphQLRequest, settings: Settings, sources: Sources) -> Explanation:
    """For a caller that may all. Raises ExplainError."""
    core = schema(settings.graphql.federation_version)._schema  # noqa: SLF001 - no public way
    try:
        document = Documents(core, settings.limits.documents()).document(request.query or "")
        node = operation_of(document, request, "POST")
    except DocumentError as problem:
        raise ExplainError("\n".join(map(_located, problem.errors))) from problem
    except RequestError as problem:
        raise ExplainError(problem.message) from problem
    variables = Coercion(core, node).values(request.variables or {})
    if isinstance(variables, list):
        raise ExplainError("\n".join(one.message for one in variables))
    fragments = {
        one.name.value: one
        for one in document.node.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    subject = Subject(document, node, variables, fresh=_fresh(core, fragments, node, variables))
    cost = Costs(core).of(node, fragments, variables.coerced)
    return Explanation(Cost(cost, sources.cost_limit), plan_of(core, subject, sources))


def _fresh(
    core: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], node: Any, variables: Any
) -> Mapping[Place, Fresh]:
    caller = Caller("explain", CallerKind.APPLICATION, customers=None, scopes=ALL_SCOPES)
    try:
        call = terms(Call(caller, "en", 0.0), core, node, variables)
        found = dict(FreshFields(core, fragments, variables).of(node.selection_set))
    except (BadInputError, GraphQLError) as problem:
        raise ExplainError(problem.message) from problem
    if call.max_age is not None:
        found[()] = Fresh(call.max_age, call.stale_if_error)
    return found


@contextmanager
def _journaled(settings: Settings) -> Iterator[PaceOf]:
    """What a gateway of the same configuration wrote of its calls, if it keeps a journal here."""
    try:
        reader = Reader(settings.journal.file)
    except JournalUnavailableError:
        yield lately()
        return
    since = time.time() - _JOURNALED_SECONDS

    def pace_of(upstream: Upstream, operation: str) -> Pace | None:
        try:
            return pace(reader.paces(upstream.name, operation, since, _JOURNALED_CALLS))
        except JournalUnavailableError:
            return None

    with reader:
        yield pace_of


def _asked(address: str, request: GraphQLRequest) -> Explanation:
    import httpx2

    key, token = os.environ.get("PASSERELLE_API_KEY"), os.environ.get("PASSERELLE_TOKEN")
    headers = {"x-api-key": key} if key else {"authorization": f"Bearer {token}"} if token else {}
    body = {
        "query": request.query,
        "variables": request.variables,
        "operationName": request.operation_name,
        "extensions": request.extensions,
    }
    try:
        with httpx2.Client(timeout=SECONDS, trust_env=False, headers=headers) as client:
            answer = client.post(address, json=body)
            told = answer.json()
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as problem:
        raise ExplainError(f"{address}: {type(problem).__name__}") from problem
    return _explanation_in(told, answer)


def _explanation_in(told: Any, answer: "httpx2.Response") -> Explanation:
    told = told if isinstance(told, dict) else {}
    found = (told.get("extensions") or {}).get("explain") or {}
    if isinstance(found, dict) and "error" not in found and found:
        try:
            return msgspec.convert(found, Explanation)
        except msgspec.ValidationError as problem:
            raise ExplainError("the gateway explains in words of another version") from problem
    problems = [found["error"]] if "error" in found else told.get("errors") or ()
    texts = [str(one.get("message")) for one in problems if isinstance(one, dict)]
    raise ExplainError("\n".join(texts) or f"HTTP {answer.status_code}: nothing was explained")


def _shown(make: Callable[[], Explanation], *, as_json: bool) -> int:
    try:
        told = make()
    except ExplainError as problem:
        print(problem, file=sys.stderr)
        return 2
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    else:
        explain_printing.show(told)
    return int(told.cost.requested > told.cost.limit)


def _text(query: str) -> str:
    if query == "-":
        return sys.stdin.read()
    if "{" in query:
        return query
    try:
        return Path(query).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "is no text"
        raise ExplainError(f"{query}: {reason}") from problem


def _located(error: GraphQLError) -> str:
    if not error.locations:
        return error.message
    first = error.locations[0]
    return f"{first.line}:{first.column}: {error.message}"
