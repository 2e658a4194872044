"""A field's arguments as its resolver takes them, from literals and variables.

What literals and defaults give is worked out once; what variables give, each time.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLField,
    VariableNode,
    Visitor,
    get_named_type,
    is_leaf_type,
    visit,
)
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.types.scalar import DEFAULT_SCALAR_REGISTRY
from strawberry.types.arguments import StrawberryArgument, convert_arguments

from gateway.execution.remembered import Recent
from schema.fields import FieldPlan
from schema.scalars import SCALARS

_CONFIG = StrawberryConfig(scalar_map=SCALARS)
_SCALARS = {**DEFAULT_SCALAR_REGISTRY, **SCALARS}

Values = dict[str, Any]
KeptValues = Recent[tuple[Any, ...], "tuple[Arguments, Values]"]
"""Those of many fields, by field and values of variables."""

_LONGEST = 200
_LEFT_OUT = object()
_SMALL = frozenset({str, int, bool, float, type(None), Decimal, object})


class Arguments:
    """Those of one field of a document; `own` are Strawberry's declarations of them."""

    __slots__ = (
        "_definition",
        "_direct",
        "_fixed",
        "_kept",
        "_names",
        "_node",
        "_plan",
        "_varying",
        "_whole",
    )

    def __init__(
        self,
        definition: GraphQLField,
        node: FieldNode,
        plan: FieldPlan,
        own: Sequence[StrawberryArgument],
        kept: "KeptValues | None" = None,
    ) -> None:
        self._kept: KeptValues = Recent(0) if kept is None else kept
        self._definition, self._node, self._plan = definition, node, plan
        given = {one.name.value: one for one in node.arguments or ()}
        self._direct: list[tuple[str, str, StrawberryArgument]] = []
        self._varying: list[StrawberryArgument] = []
        self._names: tuple[str, ...] = tuple(_variables(node.arguments or ()))
        settled: list[StrawberryArgument] = []
        for one in own:
            name = _name(one)
            told = given.get(name)
            leaf = is_leaf_type(get_named_type(definition.args[name].type))
            if told is None or not _variables([told]):
                settled.append(one)
            elif leaf and isinstance(told.value, VariableNode):
                self._direct.append((one.python_name, told.value.name.value, one))
            else:
                self._varying.append(one)
        self._fixed: Values | list[StrawberryArgument] = settled
        self._whole: Values | None = None

    @property
    def settled(self) -> bool:
        """Whether no variable has a part in them."""
        return not self._direct and not self._varying

    def values(self, variables: VariableValues) -> Values:
        """Raises GraphQLError where a variable does not fit, as the stock engine does."""
        if self._whole is not None:
            return self._whole
        fixed = self._fixed
        if isinstance(fixed, list):
            absent = {name: one.absent for name, one in self._plan.arguments.items()}
            fixed = self._fixed = absent | self._evaluated(fixed, variables)
        if not self._direct and not self._varying:
            self._whole = self._plan.prepare(dict(fixed))
            return self._whole
        found = dict(fixed)
        coerced, varying = variables.coerced, self._varying
        for name, variable, one in self._direct:
            value = coerced.get(variable)
            if value is None:  # left out or null: a default holds, or that it is needed is told
                varying = [*varying, one]
            else:
                found[name] = value
        if varying:
            return self._remembered(varying, found, variables)
        return self._plan.prepare(found)

    def _remembered(
        self, varying: Sequence[StrawberryArgument], found: Values, variables: VariableValues
    ) -> Values:
        """Reading an object takes long; the same values of few variables come again."""
        key = _key(self._names, variables.coerced)
        if key is not None and (known := self._kept.get((id(self), *key))) is not None:
            return known[1]
        values = self._plan.prepare(found | self._evaluated(varying, variables))
        if key is not None:
            self._kept.put((id(self), *key), (self, values))
        return values

    def _evaluated(self, some: Sequence[StrawberryArgument], variables: VariableValues) -> Values:
        names = {_name(one) for one in some}
        part: Any = SimpleNamespace(
            args={name: one for name, one in self._definition.args.items() if name in names}
        )
        coerced: Mapping[str, Any] = get_argument_values(part, self._node, variables)
        return convert_arguments(dict(coerced), list(some), _SCALARS, _CONFIG)


def _name(argument: StrawberryArgument) -> str:
    return _CONFIG.name_converter.from_argument(argument)


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.found[node.name.value] = None


def _variables(arguments: Sequence[ArgumentNode]) -> dict[str, None]:
    visitor = _Variables()
    for argument in arguments:
        visit(argument, visitor)
    return visitor.found


def _key(names: Sequence[str], coerced: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The values of these variables; None where they are not few and small."""
    key: list[Any] = []
    for name in names:
        value = coerced.get(name, _LEFT_OUT)
        kind = value.__class__
        if kind is str and len(value) > _LONGEST:
            return None
        if kind not in _SMALL:
            return None
        # True is 1 to a dictionary.
        key += (kind, value)
    return tuple(key)
