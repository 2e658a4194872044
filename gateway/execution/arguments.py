"""A field's arguments as its resolver takes them, from literals and variables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLField
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.types.scalar import DEFAULT_SCALAR_REGISTRY
from strawberry.types.arguments import StrawberryArgument, convert_arguments

from schema.fields import FieldPlan
from schema.scalars import SCALARS

_CONFIG = StrawberryConfig(scalar_map=SCALARS)
_SCALARS = {**DEFAULT_SCALAR_REGISTRY, **SCALARS}


@dataclass(frozen=True, slots=True)
class Arguments:
    """Those of one field of a document; `own` are Strawberry's declarations of them."""

    definition: GraphQLField
    node: FieldNode
    plan: FieldPlan
    own: Sequence[StrawberryArgument]

    def values(self, variables: VariableValues) -> dict[str, Any]:
        """Raises GraphQLError where a variable does not fit, as the stock engine does."""
        absent = {name: one.absent for name, one in self.plan.arguments.items()}
        if not self.own:
            return self.plan.prepare(absent)
        coerced: Mapping[str, Any] = get_argument_values(self.definition, self.node, variables)
        given = convert_arguments(dict(coerced), list(self.own), _SCALARS, _CONFIG)
        return self.plan.prepare({**absent, **given})
