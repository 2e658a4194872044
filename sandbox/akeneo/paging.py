"""Pages of a list, with the vendor's two ways of turning them, and links to the next."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from sandbox.akeneo.answers import unprocessable

_Row = TypeVar("_Row")
_OWN = frozenset({"page", "limit", "search_after", "pagination_type"})
DEFAULT_LIMIT, MOST_ITEMS, DEEPEST_ITEM = 10, 100, 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """What is asked for. `query` is what links repeat."""

    url: str
    query: Mapping[str, str]
    limit: int
    number: int
    after: str | None
    "The cursor; empty: the first page; None: pages by number."

    @property
    def counted(self) -> bool:
        return self.after is None and flag(self.query.get("with_count"))


def flag(text: object) -> bool:
    return text is True or (isinstance(text, str) and text.lower() in {"true", "1"})


def asked(url: str, query: Mapping[str, str], *, cursors: bool = False) -> Page:
    """The page a query asks for; `cursors`: where `search_after` is offered."""
    kind = query.get("pagination_type", "page")
    if kind not in ({"page", "search_after"} if cursors else {"page"}):
        raise unprocessable("Pagination type does not exist.", documented=True)
    limit = _positive(query, "limit", DEFAULT_LIMIT)
    if limit > MOST_ITEMS:
        raise unprocessable(f"You cannot request more than {MOST_ITEMS} items.", documented=True)
    number = _positive(query, "page", 1)
    if kind == "search_after":
        return Page(url, query, limit, 1, query.get("search_after", ""))
    if cursors and number * limit > DEEPEST_ITEM:
        raise unprocessable(
            'You have reached the maximum number of pages you can retrieve with the "page"'
            " pagination type. Please use the search after pagination type instead",
            documented=True,
        )
    return Page(url, query, limit, number, None)


def _positive(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text[:9]) < 1:
        raise unprocessable(f'"{text}" is not a valid {name} number.')
    return int(text[:9])


def hal(
    page: Page,
    rows: Sequence[_Row],
    render: Callable[[_Row], Any],
    key: Callable[[_Row], str] | None = None,
) -> dict[str, Any]:
    """The page of `rows` as the vendor sends it; `key` names a row in a cursor."""
    start = (page.number - 1) * page.limit
    if page.after:
        start = _after(page.after, rows, key)
    shown = rows[start : start + page.limit]
    # The vendor looks no further than the page: a full one has a next, be it an empty one.
    full = len(shown) == page.limit
    if page.after is None:
        links = _numbered_links(page, full=full)
    else:
        links = _cursor_links(page, _encoded(key(shown[-1])) if key and full else None)
    answered: dict[str, Any] = {"_links": links}
    if page.after is None:
        answered["current_page"] = page.number
    if page.counted:
        answered["items_count"] = len(rows)
    answered["_embedded"] = {"items": [render(row) for row in shown]}
    return answered


def _after(cursor: str, rows: Sequence[_Row], key: Callable[[_Row], str] | None) -> int:
    try:
        last = base64.urlsafe_b64decode(cursor).decode()
    except ValueError:
        last = ""
    for place, row in enumerate(rows if key else ()):
        if key and key(row) == last:
            return place + 1
    raise unprocessable("The search_after cursor is not valid.", documented=True)


def _encoded(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _numbered_links(page: Page, *, full: bool) -> dict[str, Any]:
    def link(number: int) -> dict[str, str]:
        return _link(page, page=str(number), limit=str(page.limit))

    links = {"self": link(page.number), "first": link(1)}
    if page.number > 1:
        links["previous"] = link(page.number - 1)
    if full:
        links["next"] = link(page.number + 1)
    return links


def _cursor_links(page: Page, following: str | None) -> dict[str, Any]:
    common = {"pagination_type": "search_after", "limit": str(page.limit)}
    here = common | ({"search_after": page.after} if page.after else {})
    links = {"self": _link(page, **here), "first": _link(page, **common)}
    if following is not None:
        links["next"] = _link(page, **common, search_after=following)
    return links


def _link(asked_for: Page, **set_to: str) -> dict[str, str]:
    kept = {name: text for name, text in asked_for.query.items() if name not in _OWN}
    return {"href": f"{asked_for.url}?{urlencode({**set_to, **kept}, quote_via=quote)}"}
