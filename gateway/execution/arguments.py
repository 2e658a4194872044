"""A field's arguments as its resolver takes them, from literals and variables.

What defaults give is worked out once, what literals give once a document; what variables give,
each time.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from graphql import FieldNode, GraphQLField, VariableNode, get_named_type, is_leaf_type
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.federation.schema import FederationAny
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.types.scalar import DEFAULT_SCALAR_REGISTRY
from strawberry.types.arguments import StrawberryArgument, convert_arguments
from strawberry.types.scalar import scalar

from gateway.execution.literals import Literals, Written, variables_of
from gateway.execution.remembered import Recent
from schema.fields import FieldPlan
from schema.scalars import SCALARS

_CONFIG = StrawberryConfig(scalar_map=SCALARS)
# Representations are taken as they are.
_SCALARS = {**DEFAULT_SCALAR_REGISTRY, **SCALARS, FederationAny: scalar(name="_Any")}

Values = dict[str, Any]
KeptValues = Recent[tuple[Any, ...], "tuple[object, object, Values]"]
"""Those of many fields, by field, literals and values of variables."""

_LONGEST = 200
_LEFT_OUT = object()
_SMALL = frozenset({str, int, bool, float, type(None), Decimal, object})


class Arguments:
    """Those of one field of a form of documents; `own` are Strawberry's declarations of them."""

    __slots__ = (
        "_definition",
        "_direct",
        "_fixed",
        "_kept",
        "_names",
        "_node",
        "_place",
        "_plan",
        "_settled",
        "_varying",
        "says",
    )

    def __init__(
        self,
        definition: GraphQLField,
        written: Written,
        plan: FieldPlan,
        own: Sequence[StrawberryArgument],
        kept: "KeptValues | None" = None,
    ) -> None:
        self._kept: KeptValues = Recent(0) if kept is None else kept
        self._definition, self._plan = definition, plan
        # The node of the first document with this form serves where literals have no part.
        self._node, self._place = written
        arguments = self._node.arguments or ()
        given = {one.name.value: one for one in arguments}
        self._direct: list[tuple[str, str, StrawberryArgument]] = []
        self._varying: list[StrawberryArgument] = []
        self._names = variables_of(arguments)
        self._settled: list[StrawberryArgument] = []
        for one in own:
            name = _name(one)
            told = given.get(name)
            leaf = is_leaf_type(get_named_type(definition.args[name].type))
            if told is None or not variables_of([told]):
                self._settled.append(one)
            elif leaf and isinstance(told.value, VariableNode):
                self._direct.append((one.python_name, told.value.name.value, one))
            else:
                self._varying.append(one)
        self.says = any(not isinstance(one.value, VariableNode) for one in arguments)
        self._fixed: Values | None = None

    @property
    def settled(self) -> bool:
        """Whether no variable has a part in them."""
        return not self._direct and not self._varying

    def values(self, variables: VariableValues, literals: Literals) -> Values:
        """Raises GraphQLError where a variable does not fit, as the stock engine does."""
        fixed = literals.kept.get(self) if self.says else self._fixed
        if fixed is None:
            fixed = self._read(literals, variables)
        if not self._direct and not self._varying:
            return fixed
        found = dict(fixed)
        coerced, varying = variables.coerced, self._varying
        for name, variable, one in self._direct:
            value = coerced.get(variable)
            if value is None:  # left out or null: a default holds, or that it is needed is told
                varying = [*varying, one]
            else:
                found[name] = value
        if varying:
            return self._remembered(varying, found, (variables, literals))
        return self._plan.prepare(found)

    def _read(self, literals: Literals, variables: VariableValues) -> Values:
        """What no variable has a part in, ready if that is all."""
        absent = {name: one.absent for name, one in self._plan.arguments.items()}
        fixed = absent | self._evaluated(self._settled, variables, literals)
        if self.settled:
            fixed = self._plan.prepare(fixed)
        if self.says:
            literals.keep(self, fixed)
        else:
            self._fixed = fixed
        return fixed

    def _remembered(
        self,
        varying: Sequence[StrawberryArgument],
        found: Values,
        given: tuple[VariableValues, Literals],
    ) -> Values:
        """Reading an object takes long; the same values of few variables come again."""
        variables, literals = given
        key = _key(self._names, variables.coerced)
        if key is not None:
            key = (id(self), id(literals) if self.says else 0, *key)
            if (known := self._kept.get(key)) is not None:
                return known[2]
        values = self._plan.prepare(found | self._evaluated(varying, variables, literals))
        if key is not None:
            # Both are held too, so that their identities stay their own.
            self._kept.put(key, (self, literals, values))
        return values

    def _evaluated(
        self, some: Sequence[StrawberryArgument], variables: VariableValues, literals: Literals
    ) -> Values:
        names = {_name(one) for one in some}
        part: Any = SimpleNamespace(
            args={name: one for name, one in self._definition.args.items() if name in names}
        )
        node: FieldNode = literals.nodes[self._place] if self.says else self._node
        coerced: Mapping[str, Any] = get_argument_values(part, node, variables)
        return convert_arguments(dict(coerced), list(some), _SCALARS, _CONFIG)


def _name(argument: StrawberryArgument) -> str:
    return _CONFIG.name_converter.from_argument(argument)


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
