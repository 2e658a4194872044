"""What the annotation of a field accepts."""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr


def arms(annotation: Any) -> Iterator[Any]:
    """The classes that a value may have: `int | tuple[str, ...] | None` gives int and tuple."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from arms(get_args(annotation)[0])
    elif origin in {Union, UnionType}:
        for arm in get_args(annotation):
            yield from arms(arm)
    elif annotation is not type(None):
        yield origin or annotation


def is_secret(annotation: Any) -> bool:
    return any(arm in {SecretStr, SecretBytes} for arm in arms(annotation))


def table_of(annotation: Any) -> type[BaseModel] | None:
    """The model of a field that holds a table of known keys."""
    for arm in arms(annotation):
        if isinstance(arm, type) and issubclass(arm, BaseModel):
            return arm
    return None
