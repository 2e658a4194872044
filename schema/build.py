"""The schema as a whole: one Federation subgraph over the views of this package."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import strawberry
import strawberry.federation
from graphql import GraphQLResolveInfo, GraphQLUnionType
from strawberry.schema.config import StrawberryConfig

from resolvers.context import Context
from resolvers.entities import entities
from schema import sizes
from schema.directives import fresh, in_context
from schema.fields import TYPES, VIEWS
from schema.mutation import Mutation
from schema.query import Query
from schema.scalars import SCALARS
from schema.subscription import Subscription

FEDERATION_VERSION = "2.9"


@cache
def schema(federation_version: str = FEDERATION_VERSION) -> strawberry.federation.Schema:
    """The schema; the same object for the same version."""
    TYPES["Query"] = Query
    sizes.apply(federation_version)
    built = strawberry.federation.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        directives=[fresh, in_context],  # type: ignore[list-item] # wider than annotated
        config=StrawberryConfig(scalar_map=SCALARS),
        federation_version=federation_version,  # type: ignore[arg-type]
    )
    _resolve_entities_together(built)
    return built


def sdl(federation_version: str = FEDERATION_VERSION) -> str:
    """What `schema/schema.graphql` holds and `_service { sdl }` answers."""
    built = schema(federation_version)
    sizes.apply(federation_version)
    return built.as_str() + "\n"


def _resolve_entities_together(built: strawberry.federation.Schema) -> None:
    """Strawberry resolves one representation after the other; ours go as one batch a type."""
    core = built._schema  # noqa: SLF001 - no public way to the graphql-core schema
    names = {record: name for name, record in VIEWS.items()}

    async def resolve(
        _root: object,
        info: GraphQLResolveInfo[Context],
        representations: Sequence[Mapping[str, Any]],
    ) -> Sequence[Any]:
        return await entities(representations, ctx=info.context)

    def type_name(value: object, *_: object) -> str | None:
        return names.get(type(value))

    query, union = core.query_type, core.type_map["_Entity"]
    if query is None or not isinstance(union, GraphQLUnionType):
        raise AssertionError
    query.fields["_entities"].resolve = resolve
    union.resolve_type = type_name
