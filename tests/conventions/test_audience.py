"""Who looks at a caller is noted: else an answer for one could be kept for all."""

import re
from collections.abc import Mapping

# `Context.caller` and `Context.require` themselves, and what stands before any field is resolved.
ALLOWED = {
    "resolvers/context.py": 2,
    "gateway/execution/gate.py": 2,
    "gateway/execution/terms.py": 1,
    "gateway/execution/provenance.py": 1,
}
PAST_THE_NOTES = re.compile(r"call\.caller|call\.scopes")


def test_callers_are_looked_at_where_it_is_noted(sources: Mapping[str, str]) -> None:
    looked = {
        path: len(PAST_THE_NOTES.findall(text))
        for path, text in sources.items()
        if path.startswith(("resolvers/", "schema/", "gateway/execution/"))
    }

    assert {path: count for path, count in looked.items() if count > ALLOWED.get(path, 0)} == {}
