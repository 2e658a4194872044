"""The three kinds of field that a view has, and the one way each is answered.

`plain`: an attribute of the record. `computed`: a function of the record alone. `batched`: a
resolver of many parents. An engine finds them as `FieldPlan` in the field's metadata.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry import UNSET
from strawberry.federation.schema_directives import Authenticated, RequiresScopes
from strawberry.types import Info

from resolvers.scopes import PUBLIC_SCOPES, SCOPE_OF_ROLE

Batch = Callable[..., Awaitable[Sequence[Any]]]
PLAN = "passerelle"
DEFINITION = "strawberry-definition"
"""Under this name graphql-core's fields hold Strawberry's, in whose metadata `PLAN` is."""

VIEWS: dict[str, type] = {}
"""The record that each GraphQL type is a view over, by the type's name."""

TYPES: dict[str, type] = {}
"""The views themselves and the root, by name."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a field. `default` is absent where the contract gives none."""

    type: Any
    description: str
    default: Any = UNSET
    required: bool = False

    @property
    def absent(self) -> Any:
        """What the resolver is given when the client gives nothing."""
        return None if self.default is UNSET else self.default


@dataclass(frozen=True, slots=True)
class Foresight:
    """How the key of a record is known before the record, where a field finds one by its key.

    `of` is called like the resolver, without parents. It gives a stand-in for the record which has
    nothing but the attribute `key`, or None where what is beneath must wait for the record.
    """

    key: str
    of: Callable[..., object | None]


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """How a field is answered: by `batch` or by `compute`.

    `pick` answers it for one parent, at once, and so does the record's method `method`; an engine may
    take these instead of `batch`. `prepare` turns the GraphQL arguments into the resolver's. `role`
    is the port that it asks, `scope` what the caller needs for that.

    `reads` are the attributes of its parent that it takes, None for any of them; where `parts` is
    given, and literals tell that argument, only these parts of what it reads. With `foresight`, what
    reads the key alone may be asked at the same time as the record.
    """

    batch: Batch | None = None
    compute: Callable[[Any], Any] | None = None
    pick: Callable[..., Any] | None = None
    method: str | None = None
    prepare: Callable[[dict[str, Any]], dict[str, Any]] = dict
    role: str | None = None
    scope: str | None = None
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    reads: tuple[str, ...] | None = None
    parts: str | None = None
    foresight: Foresight | None = None


@strawberry.interface(description="An object that can be asked again by its id.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="Opaque, global, and the same after a change of vendor."
    )


def view(
    record: type, description: str, *, keys: Sequence[str] = (), directives: Sequence[object] = ()
) -> Callable[[type], Any]:
    """Makes a class the GraphQL view over `record`; with `keys`, a Federation entity."""

    def wrap(cls: type) -> Any:
        VIEWS[cls.__name__] = record
        if issubclass(cls, Node):
            # Records are no instances of their view, so the interface must be told.
            cls.is_type_of = classmethod(  # type: ignore[attr-defined]
                lambda _, value, __: isinstance(value, record)
            )
        made = (
            strawberry.federation.type(
                cls, keys=list(keys), description=description, directives=directives
            )
            if keys
            else strawberry.type(cls, description=description, directives=directives)
        )
        TYPES[cls.__name__] = made
        return made

    return wrap


def described(enum: type[Enum], description: str, values: Mapping[str, str]) -> Any:
    """A record's enum as a GraphQL enum, each value with its description."""
    made = strawberry.enum(enum, description=description)
    definition = made.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[value.name]
    return made


def plain(description: str, **options: Any) -> Any:
    return strawberry.field(description=description, **options)


def computed(
    compute: Callable[[Any], Any],
    description: str,
    reads: tuple[str, ...] | None = None,
    **options: Any,
) -> Any:
    """A field whose value follows from its record alone: from what `reads` names of it."""

    def resolve(root: Any) -> Any:
        return compute(root)

    plan = FieldPlan(compute=compute, reads=reads)
    return strawberry.field(
        resolver=resolve, description=description, metadata={PLAN: plan}, **options
    )


def batched(  # noqa: PLR0913 - what a field of the contract may have
    batch: Batch,
    description: str,
    *,
    arguments: Mapping[str, Argument] | None = None,
    prepare: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    role: str | None = None,
    reads: tuple[str, ...] | None = None,
    foresight: Foresight | None = None,
    directives: Sequence[object] = (),
    **options: Any,
) -> Any:
    """A field answered for all parents of a level at once; refused without its role's scope.

    `reads` and `foresight` are those of `FieldPlan`.
    """
    plan = FieldPlan(
        batch,
        prepare=prepare,
        role=role,
        scope=SCOPE_OF_ROLE[role] if role else None,
        arguments=arguments or {},
        reads=reads,
        foresight=foresight,
    )
    return _resolved(plan, batch, description, [*directives, *_needs(plan.scope)], options)


def picked(
    pick: Callable[..., Any] | str,
    description: str,
    arguments: Mapping[str, Argument],
    *,
    reads: tuple[str, ...] | None = None,
    parts: str | None = None,
    **options: Any,
) -> Any:
    """A field whose value follows from its record and arguments alone.

    `pick` may be the name of the record's own method; `reads` and `parts` are those of `FieldPlan`.
    """
    method = pick if isinstance(pick, str) else None
    picking = _calling(pick) if isinstance(pick, str) else pick

    async def batch(parents: Sequence[Any], *, ctx: object, **given: Any) -> list[Any]:
        _ = ctx
        return [picking(parent, **given) for parent in parents]

    plan = FieldPlan(
        batch, pick=picking, method=method, arguments=arguments, reads=reads, parts=parts
    )
    return _resolved(plan, batch, description, [], options)


def _calling(method: str) -> Callable[..., Any]:
    return lambda one, **given: getattr(one, method)(**given)


def _resolved(
    plan: FieldPlan,
    batch: Batch,
    description: str,
    directives: Sequence[object],
    options: Mapping[str, Any],
) -> Any:
    scope, prepare = plan.scope, plan.prepare
    absent = {name: one.absent for name, one in plan.arguments.items()}

    async def resolve(root: Any, info: Info[Any, None], **given: Any) -> Any:
        ctx = info.context
        ctx.in_time()
        if scope is not None:
            ctx.require(scope)
        if ctx.fresh:
            ctx = ctx.at(tuple(key for key in info.path.as_list() if isinstance(key, str)))
        values = await batch([root], ctx=ctx, **prepare({**absent, **given}))
        return values[0]

    resolve.__signature__ = _signature(plan.arguments)  # type: ignore[attr-defined]
    return strawberry.field(
        resolver=resolve,
        description=description,
        metadata={PLAN: plan},
        directives=directives,
        **options,
    )


def _needs(scope: str | None) -> list[object]:
    """What a Federation router above must ask of the caller for a field."""
    if scope is None:
        return []
    needed: list[object] = [RequiresScopes(scopes=[[scope]])]
    return needed if scope in PUBLIC_SCOPES else [Authenticated(), *needed]


def _signature(arguments: Mapping[str, Argument]) -> inspect.Signature:
    parameter = inspect.Parameter
    fixed = [
        parameter("root", parameter.POSITIONAL_OR_KEYWORD, annotation=Any),
        parameter("info", parameter.POSITIONAL_OR_KEYWORD, annotation=Info[Any, None]),
    ]
    own = [
        parameter(
            name,
            parameter.KEYWORD_ONLY,
            default=parameter.empty if one.required else one.default,
            annotation=Annotated[one.type, strawberry.argument(description=one.description)],
        )
        for name, one in arguments.items()
    ]
    return inspect.Signature([*fixed, *own])
