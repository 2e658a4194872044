"""How a record tells that it was not read now."""

from typing import Any

import msgspec

from ports.common import Freshness, FreshnessState


def marked(value: Any, state: FreshnessState) -> Any:
    """The same record with this state wherever it tells its freshness. FALLBACK stays."""
    match value:
        case Freshness():
            if value.state is FreshnessState.FALLBACK:
                return value
            return msgspec.structs.replace(value, state=state)
        case tuple():
            return tuple(marked(one, state) for one in value)
        case msgspec.Struct():
            fields = {name: getattr(value, name) for name in value.__struct_fields__}
            changed = {
                name: new for name, old in fields.items() if (new := marked(old, state)) is not old
            }
            return msgspec.structs.replace(value, **changed) if changed else value
        case _:
            return value
