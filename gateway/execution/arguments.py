"""A field's arguments as its resolver takes them, from literals and variables.

What literals and defaults give is worked out once; what variables give, each time.
"""

from collections.abc import Mapping, Sequence
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

from schema.fields import FieldPlan
from schema.scalars import SCALARS

_CONFIG = StrawberryConfig(scalar_map=SCALARS)
_SCALARS = {**DEFAULT_SCALAR_REGISTRY, **SCALARS}

Values = dict[str, Any]


class Arguments:
    """Those of one field of a document; `own` are Strawberry's declarations of them."""

    __slots__ = ("_definition", "_direct", "_fixed", "_node", "_plan", "_varying", "_whole")

    def __init__(
        self,
        definition: GraphQLField,
        node: FieldNode,
        plan: FieldPlan,
        own: Sequence[StrawberryArgument],
    ) -> None:
        self._definition, self._node, self._plan = definition, node, plan
        given = {one.name.value: one for one in node.arguments or ()}
        self._direct: list[tuple[str, str, StrawberryArgument]] = []
        self._varying: list[StrawberryArgument] = []
        settled: list[StrawberryArgument] = []
        for one in own:
            name = _name(one)
            told = given.get(name)
            leaf = is_leaf_type(get_named_type(definition.args[name].type))
            if told is None or not _holds_variables(told):
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
            found |= self._evaluated(varying, variables)
        return self._plan.prepare(found)

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
        self.found = False

    def enter_variable(self, *_: Any) -> None:
        self.found = True


def _holds_variables(argument: ArgumentNode) -> bool:
    visitor = _Variables()
    visit(argument, visitor)
    return visitor.found
