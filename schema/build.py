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
from schema.fields import DEFINITION, PLAN, TYPES, VIEWS, FieldPlan
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

    async def batch(
        parents: Sequence[Any], *, ctx: Context, representations: Sequence[Mapping[str, Any]]
    ) -> Sequence[Any]:
        return [await entities(representations, ctx=ctx) for _ in parents]

    async def resolve(
        root: object,
        info: GraphQLResolveInfo[Context],
        representations: Sequence[Mapping[str, Any]],
    ) -> Any:
        ctx = info.context
        ctx.in_time()
        ctx = ctx.at(tuple(key for key in info.path.as_list() if isinstance(key, str)))
        return (await batch([root], ctx=ctx, representations=representations))[0]

    def type_name(value: object, *_: object) -> str | None:
        return names.get(type(value))

    query, union = core.query_type, core.type_map["_Entity"]
    if query is None or not isinstance(union, GraphQLUnionType):
        raise AssertionError
    field = query.fields["_entities"]
    field.resolve = resolve
    field.extensions[DEFINITION].metadata = {PLAN: FieldPlan(batch)}
    union.resolve_type = type_name
