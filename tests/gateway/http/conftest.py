"""A small graph behind the real endpoint: in process over ASGI, or on a loopback port."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2
import pytest
import uvicorn
from graphql import (
    GraphQLError,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
)
from starlette.types import ASGIApp

from gateway.execution.engine import StockEngine
from gateway.http.app import http_app
from gateway.http.endpoint import Endpoint
from gateway.http.incoming import Incoming
from gateway.operations.request import GraphQLRequest

SDL = """
scalar Decimal
scalar JSON
type Query {
  hello(name: String, quantity: Decimal, count: Int): String
  json: JSON
  fails: String
  fatal: String!
  me: Query
  slow: String
}
type Mutation { bump: Int }
type Subscription { ticks: Int }
"""


@dataclass(frozen=True, slots=True)
class Context:
    request_id: str
    deadline: float | None = None


def decimal_of(value: object) -> Decimal:
    try:
        return Decimal(str(value))
    except ArithmeticError:
        raise GraphQLError("A decimal number is expected.") from None


class Graph:
    """The root value's functions, and what a test may set: the JSON answered, a gate to wait at."""

    def __init__(self) -> None:
        self.answer: object = None
        self.started = asyncio.Event()
        self.cancelled = asyncio.Event()

    def schema(self) -> GraphQLSchema:
        schema = build_schema(SDL)
        query = schema.query_type
        mutation = schema.mutation_type
        scalar = schema.type_map["Decimal"]
        assert query is not None
        assert mutation is not None
        assert isinstance(scalar, GraphQLScalarType)
        scalar.coerce_input_value = decimal_of
        query.fields["hello"].resolve = lambda *_, name="world", **__: f"Hello {name}"
        query.fields["json"].resolve = lambda *_: self.answer
        query.fields["me"].resolve = lambda *_: {}
        query.fields["fails"].resolve = _fail
        query.fields["fatal"].resolve = _fail
        query.fields["slow"].resolve = self._slow
        mutation.fields["bump"].resolve = lambda *_: 1
        return schema

    async def _slow(self, *_: Any) -> str:
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return "never"


def _fail(*_: Any) -> str:
    raise RuntimeError("password=hunter2 at /srv/secret.py")


async def make_context(incoming: Incoming, _: GraphQLRequest) -> object:
    return Context(incoming.request_id)


async def all_ready() -> list[str]:
    return []


@pytest.fixture
def graph() -> Graph:
    return Graph()


@pytest.fixture
def endpoint(graph: Graph) -> Endpoint:
    return Endpoint(StockEngine(graph.schema()), make_context)


@pytest.fixture
def app(endpoint: Endpoint) -> ASGIApp:
    return http_app(endpoint, not_ready=all_ready)


@pytest.fixture
async def client(app: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app)  # exceptions of the application fail the test
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The application on a free loopback port, as deployed: httptools and the event loop's own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(server.serve([listener]))
            while not server.started and not task.done():
                await asyncio.sleep(0.01)
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                server.should_exit = True


@pytest.fixture
def serve() -> Callable[[ASGIApp], Any]:
    return serving
