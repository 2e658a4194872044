"""Targets: written as httpx2 writes them, and never at another host or another place."""

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ports.errors import MalformedError, RefusedError
from upstream.failures import WireError
from upstream.urls import Targets

BASES = ["http://erp.example", "https://erp.example:8443/api/rest", "http://[::1]:8069/é"]
CHARACTERS = st.one_of(
    st.sampled_from("abcXYZ019-._~!$&'()*+,;=:@/%?#[]{}|\\^`\"<> é€🙂"),
    st.characters(exclude_categories=["Cs"]),
)
PIECES = st.one_of(CHARACTERS, st.sampled_from(["%2F", "%2f", "%C3%A9", "%zz", "%", "//", "?a=1"]))
PATHS = st.lists(PIECES, max_size=20).map("".join)
PARAMS = st.none() | st.dictionaries(
    st.text(CHARACTERS, max_size=8), st.text(CHARACTERS, max_size=12), max_size=4
)


def by_httpx2(base: str, path: str, params: dict[str, str] | None) -> str | None:
    """What its client asks for; None where that is no address, or at another host."""
    client = httpx2.AsyncClient(base_url=base)
    try:
        url = client.build_request("GET", path, params=params).url
    except httpx2.InvalidURL:
        return None
    own = client.base_url
    if (url.scheme, url.host, url.port) != (own.scheme, own.host, own.port):
        return None
    return url.raw_path.decode()


def by_us(base: str, path: str, params: dict[str, str] | None) -> str | None:
    try:
        return Targets(base).target(path, params)
    except WireError as refused:
        return None if refused.kind is MalformedError else "dots"


@given(st.sampled_from(BASES), st.booleans(), PATHS, PARAMS)
@example("http://erp.example", True, "a/b", {"q": "a b+c/d&é", "": ""})
@example("http://erp.example", True, "a?b=c", {})
@example("http://erp.example", True, "a?b=c", {"d": "e"})
@example("http://erp.example", True, "/evil.example/x", None)
@example("https://erp.example:8443/api/rest", False, "https://erp.example:8443/a?b=1", None)
@example("https://erp.example:8443/api/rest", False, "https://erp.example:84431/a", None)
@example("https://erp.example:8443/api/rest", False, "https://erp.example:8443@evil/a", None)
@example("http://erp.example", False, "http://erp.example:80/a", None)
@example("http://erp.example", False, "http://erp.example", None)
@example("http://erp.example", True, "a" * 70_000, None)
@example("http://erp.example", True, "a", {"q": "b" * 70_000})
def test_targets_are_those_of_httpx2(
    base: str, slash: bool, path: str, params: dict[str, str] | None
) -> None:
    asked = f"/{path}" if slash else path
    ours = by_us(base, asked, params)

    assert ours == "dots" or ours == by_httpx2(base, asked, params)


@given(PATHS, PARAMS)
def test_a_target_is_one_line_of_plain_characters(path: str, params: dict[str, str] | None) -> None:
    target = by_us("http://erp.example/base", f"/{path}", params)

    assert target is None or (target.isascii() and target.isprintable() and " " not in target)


@pytest.mark.parametrize("value", [1, True, None, ["a", "b"]])
def test_values_that_are_no_text_are_written_as_httpx2_does(value: object) -> None:
    params: dict[str, str] = {"a": value}  # type: ignore[dict-item]

    assert by_us("http://x", "/p", params) == by_httpx2("http://x", "/p", params)


@pytest.mark.parametrize("path", ["/a/..", "/..", "/a/%2e%2e/b", "/a/../b", "/./b", "/a/%2E", ".."])
def test_no_path_climbs(path: str) -> None:
    with pytest.raises(WireError) as caught:
        Targets("http://erp.example/base").target(path, None)

    assert caught.value.kind is RefusedError


@pytest.mark.parametrize("path", ["/a.b/c..d", "/...", "/a?x=../y", "/a%2Fb"])
def test_dots_within_names_are_names(path: str) -> None:
    assert Targets("http://erp.example").target(path, None) == path


@pytest.mark.parametrize(
    "link",
    [
        "https://erp.example/x",
        "http://erp.example:81/x",
        "http://evil.example/x",
        "http://erp.example@evil.example/",
        "http://erp.example.evil.example/",
    ],
)
def test_no_link_leads_to_another_host(link: str) -> None:
    with pytest.raises(WireError) as caught:
        Targets("http://erp.example").target(link, None)

    assert caught.value.kind is MalformedError


def test_a_link_without_scheme_stays_at_the_own_host() -> None:
    assert Targets("http://erp.example").target("//evil.example/x", None) == "/x"
