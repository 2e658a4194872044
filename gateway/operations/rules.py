"""The rules that a document is validated by: the library's, made to give up early.

What takes long is not what is wrong but what is told of it: pairs of fields, names alike, errors.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, cast

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoUndefinedVariablesRule,
    NoUnusedVariablesRule,
    OverlappingFieldsCanBeMergedRule,
    ParallelVisitor,
    ValidationContext,
    ValidationRule,
    ValuesOfCorrectTypeRule,
    VariablesInAllowedPositionRule,
    specified_rules,
    validate,
)
from graphql.language.visitor import EnterLeaveVisitor
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.operations.limits import LIMIT_EXCEEDED
from gateway.operations.merging import merging

BAD_USER_INPUT = "BAD_USER_INPUT"

# Work left to the library where fields cannot plainly be merged; its own 500,000 take a second.
MERGE_BUDGET = 8_000
# For each a name is compared with all that the schema has.
MAX_SUGGESTIONS = 3
_STEPS_A_LOOK = 64

Rule = type[ASTValidationRule]


class OverdueError(Exception):
    """It took longer than it may."""


def problems_of(
    schema: GraphQLSchema, node: DocumentNode, *, most: int, until: float, suggest: bool = True
) -> list[GraphQLError]:
    """What is wrong with a document. Raises OverdueError past `until` (`time.monotonic`)."""

    def guard(context: ValidationContext) -> _Guard:
        return _Guard(context, until)

    verdict = merging(schema, node)
    if verdict == "too many":
        return [_too_complex()]
    last = OF_VARIABLES if verdict == "sure" else (*OF_VARIABLES, _OverlappingFields)
    found: list[GraphQLError] = []
    for rules in (RULES, last):
        # What takes longer is only asked of documents that are right as far as this.
        if not found:
            together = _Together((cast("Rule", guard), *rules))
            try:
                found = validate(
                    schema, node, (cast("Rule", together),), most, hide_suggestions=not suggest
                )
            finally:
                together.let_go()
    return [_told(error) for error in found]


class _Together:
    """Rules as one. Each knows the others and itself by many ways, which end with `let_go`.

    Else a refused document leaves more than a thousand objects until somebody looks for cycles.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._made: list[object] = []
        self._ways: Mapping[str, EnterLeaveVisitor] = {}

    def __call__(self, context: ValidationContext) -> ParallelVisitor:
        visitors = [rule(context) for rule in self._rules]
        together = ParallelVisitor(visitors)
        self._made = [context, together, *visitors]
        self._ways = together.enter_leave_map
        return together

    def let_go(self) -> None:
        # The library's own visitor holds these functions, and they all that they lead to.
        for way in chain.from_iterable(self._ways.values()):
            for cell in getattr(way, "__closure__", None) or ():
                del cell.cell_contents
        for one in self._made:
            vars(one).clear()


class _ValuesOfCorrectType(ValuesOfCorrectTypeRule):
    """A wrong literal has the code that the same value has in a variable."""

    def report_error(self, error: GraphQLError) -> None:
        error.extensions = {**(error.extensions or {}), "code": BAD_USER_INPUT}
        super().report_error(error)


class _OverlappingFields(OverlappingFieldsCanBeMergedRule):
    """Gives up earlier on fields that are repeated, whose pairs are compared with each other."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = MERGE_BUDGET


class _Guard(ValidationRule):
    """Finds nothing wrong: looks at the clock, and ends suggestions after a few errors."""

    def __init__(self, context: ValidationContext, until: float) -> None:
        super().__init__(context)
        self._until = until
        self._steps = 0
        self._found = 0
        self._report: Callable[[GraphQLError], None] = context.report_error
        context.report_error = self._counted  # type: ignore[method-assign]

    def enter(self, *_: Any) -> None:
        self._steps += 1
        if self._steps % _STEPS_A_LOOK == 0 and time.monotonic() > self._until:
            raise OverdueError

    def _counted(self, error: GraphQLError) -> None:
        self._found += 1
        if self._found >= MAX_SUGGESTIONS:
            self.context._hide_suggestions = True  # noqa: SLF001 - no public way
        self._report(error)


_OURS: dict[Rule, Rule] = {ValuesOfCorrectTypeRule: _ValuesOfCorrectType}
# Each of them looks through the whole document once more, fragments included.
OF_VARIABLES: Sequence[Rule] = (
    NoUndefinedVariablesRule,
    NoUnusedVariablesRule,
    VariablesInAllowedPositionRule,
)
_LATER = {OverlappingFieldsCanBeMergedRule, *OF_VARIABLES}
RULES: Sequence[Rule] = (
    *(_OURS.get(rule, rule) for rule in specified_rules if rule not in _LATER),
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)


def _told(error: GraphQLError) -> GraphQLError:
    """The library gives up on costly documents without a word why."""
    return _too_complex() if error.message == "Validation aborted." else error


def _too_complex() -> GraphQLError:
    message = "The document is too complex; repeat fewer fields and nest less."
    return GraphQLError(message, extensions={"code": LIMIT_EXCEEDED})
