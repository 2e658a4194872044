"""What went into one answer: which answers of systems, what of the caller, which operation.

Noted while it happens, on the operation's own context and call, so that two operations cannot be
taken for each other, whoever asked the systems for them.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import DirectiveNode, DocumentNode, FieldNode, OperationType, Visitor, visit

from gateway.execution.engine import Operation, Prepare
from gateway.execution.gate import Quota
from gateway.operations.by_identity import ByIdentity
from gateway.operations.documents import Document
from gateway.operations.introspection import introspects
from ports.caller import Caller
from ports.errors import ForbiddenError
from resolvers.context import Context
from upstream.uses import Use

LIVE = Use(upstream="gateway", operation="systems.systems", varies_on=("caller",), live=1)
"""What is told from the state of this very moment."""


@dataclass(slots=True)
class Provenance:
    """`began` is the number of purges that were heard of before. `scopes` are those looked for.

    `is_personal`: more of the caller was looked at than that it has them.
    """

    began: int = 0
    uses: list[Use] = field(default_factory=list)
    scopes: set[str] = field(default_factory=set)
    is_personal: bool = False
    cost: int = 1
    operation: Operation | None = None

    def note(self, use: object) -> None:
        """Told of each answer of a system; anything else is nothing that is known to hold."""
        self.uses.append(use if isinstance(use, Use) else LIVE)

    @property
    def source(self) -> tuple[str | None, Document] | None:
        """The name and the document of the operation."""
        if self.operation is None:
            return None
        name = self.operation.node.name
        return name.value if name else None, self.operation.document

    @property
    def is_query(self) -> bool:
        """Whether it only reads what systems have, and not the schema."""
        if self.operation is None or self.operation.node.operation is not OperationType.QUERY:
            return False
        return not introspects(self.operation.document.node)

    def mentions(self, *names: str) -> bool:
        """Whether its document has a field or an argument of a directive of such a name."""
        if self.operation is None:
            return True
        return not mentioned(self.operation.document.node).isdisjoint(names)


@dataclass(slots=True)
class NotedContext(Context):
    """A context that notes what resolvers look at.

    Whatever is not seen to be the same for everybody makes the answer personal.
    """

    made: Provenance = field(default_factory=Provenance)

    @property
    def caller(self) -> Caller:
        self.made.is_personal = True
        return self.call.caller

    def require(self, scope: str) -> None:
        """Raises ForbiddenError for a caller without the scope, whom nobody else is like then."""
        self.made.scopes.add(scope)
        try:
            Context.require(self, scope)
        except ForbiddenError:
            self.made.is_personal = True
            raise


@dataclass(frozen=True, slots=True)
class NotedQuota:
    """A quota that notes what it is asked to take."""

    quota: Quota

    def take(self, context: Context, cost: int, /) -> Coroutine[Any, Any, None]:
        """What it refuses is not answered at all, whatever it was going to cost."""
        if isinstance(context, NotedContext):
            context.made.cost = cost
        return self.quota.take(context, cost)


def noted(prepare: Prepare) -> Prepare:
    """`prepare` itself may look at the caller: what it refuses is not answered at all."""

    async def prepared(context: Any, operation: Operation) -> Mapping[str, object] | None:
        told = await prepare(context, operation)
        if isinstance(context, NotedContext):
            context.made.operation = operation
            context.made.is_personal = False
        return told

    return prepared


class _Names(Visitor):
    """`freshness` for a field, `@inContext(customer)` for an argument of a directive."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.found.add(node.name.value)

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        for argument in node.arguments or ():
            self.found.add(f"@{node.name.value}({argument.name.value})")


def _mentioned(document: DocumentNode) -> frozenset[str]:
    names = _Names()
    visit(document, names)
    return frozenset(names.found)


mentioned: Callable[[DocumentNode], frozenset[str]] = ByIdentity(_mentioned)
"""The names in a document; one asked often is walked once."""
