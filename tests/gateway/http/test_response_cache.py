"""What is kept of whole answers: for whom, how long, how much, and until which purge."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.execution.audience import Audience
from gateway.http.response_cache import Asked, Reply, ReplyLimits, ResponseCache
from ports.caller import Caller, CallerKind

JO = Caller("jo", CallerKind.USER, "A", frozenset({"A"}), frozenset({"catalog:read"}))
ANN = Caller("ann", CallerKind.USER, "B", frozenset({"B"}), frozenset({"catalog:read"}))
SCOPELESS = Caller("none", CallerKind.USER)
ALL = Audience(None, frozenset({"catalog:read"}))


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Kept:
    def __init__(self, **limits: Any) -> None:
        self.time = Time()
        self.cache = ResponseCache(ReplyLimits(**limits), self.time)

    def keep(self, name: str, audience: Audience = ALL, *tags: str, **more: Any) -> bool:
        until = self.time.now + more.get("seconds", 10)
        body = more.get("body", name.encode())
        reply = Reply(body, audience, self.time.now, until, 1, frozenset(tags))
        return self.cache.keep(asked(name), reply, more.get("began", self.cache.purges))

    def body(self, name: str, caller: Caller = JO) -> bytes | None:
        found = self.cache.find(asked(name), caller)
        return None if found is None else found.body


def asked(name: str) -> Asked:
    return ("GET", b"", "en", name.encode())


def test_everybody_with_the_scopes_is_given_what_is_for_all() -> None:
    kept = Kept()
    kept.keep("a")

    assert [kept.body("a", one) for one in (JO, ANN, SCOPELESS)] == [b"a", b"a", None]


def test_what_is_ones_own_is_given_to_nobody_else() -> None:
    kept = Kept()
    kept.keep("a", Audience(JO))

    assert kept.body("a") == b"a"
    others = [
        ANN,
        Caller("jo", CallerKind.USER, "A", frozenset({"A", "B"}), JO.scopes),
        Caller("jo", CallerKind.USER, "A", frozenset({"A"}), JO.scopes | {"prices:read"}),
        Caller("jo", CallerKind.STAFF, "A", frozenset({"A"}), JO.scopes),
        Caller("jo", CallerKind.USER, None, frozenset({"A"}), JO.scopes),
    ]
    assert [kept.body("a", one) for one in others] == [None] * len(others)


def test_all_that_an_answer_depends_on_is_part_of_its_place() -> None:
    kept = Kept()
    kept.keep("a")
    method, kind, language, sent = asked("a")
    others = [
        ("POST", kind, language, sent),
        (method, b"text/plain", language, sent),
        (method, kind, "fr", sent),
        (method, kind, language, sent + b" "),
    ]

    assert [kept.cache.find(one, JO) for one in others] == [None] * 4
    assert not any(map(kept.cache.is_asked, others))


def test_it_ends_with_the_first_of_its_parts() -> None:
    kept = Kept(seconds=60)
    kept.keep("short", seconds=5)
    kept.keep("long", seconds=3600)
    assert not kept.keep("over", seconds=0)

    kept.time.now += 4.9
    assert (kept.body("short"), kept.body("long")) == (b"short", b"long")
    kept.time.now += 0.1
    assert (kept.body("short"), kept.body("long")) == (None, b"long")
    kept.time.now += 55
    assert kept.body("long") is None
    assert (len(kept.cache), kept.cache.size) == (0, 0)


def test_the_one_unused_for_longest_goes_first() -> None:
    kept = Kept(entries=2)
    for name in ("a", "b"):
        kept.keep(name)
    kept.body("a")
    kept.keep("c")

    assert [kept.body(name) for name in "abc"] == [b"a", None, b"c"]


def test_its_bytes_are_bounded() -> None:
    kept = Kept(bytes=10_000, entry_bytes=6_000)
    assert not kept.keep("too long", body=b"x" * 6_000)
    for name in "abcd":
        assert kept.keep(name, body=b"x" * 1_000)
    assert len(kept.cache) == 3

    reply = kept.cache.find(asked("d"), JO)
    assert reply is not None
    kept.cache.hold_coded(asked("d"), reply, (b"gzip", b"z" * 6_000))
    assert kept.cache.size <= 10_000
    assert kept.body("b") is None


def test_a_purge_drops_what_has_its_tag() -> None:
    kept = Kept()
    kept.keep("a", ALL, "product:A", "role:catalog")
    kept.keep("b", Audience(JO), "product:B", "role:catalog")

    assert kept.cache.forget(["product:B", "product:C"]) == 1
    assert (kept.body("a"), kept.body("b")) == (b"a", None)
    assert kept.cache.forget(["role:catalog"]) == 1
    assert kept.body("a") is None


def test_what_was_begun_before_a_purge_is_not_kept() -> None:
    kept = Kept()
    began = kept.cache.purges
    kept.cache.forget(["product:A"])

    assert not kept.keep("a", ALL, "product:A", began=began)
    assert kept.keep("b", ALL, "product:B", began=began)
    assert kept.keep("a", ALL, "product:A")


def test_more_purges_than_are_remembered_may_have_been_any() -> None:
    kept = Kept()
    began = kept.cache.purges
    for number in range(1_001):
        kept.cache.forget([f"product:{number}"])

    assert not kept.keep("a", ALL, "product:A", began=began)
    assert kept.keep("a", ALL, "product:A", began=began + 1)


NAMES = st.sampled_from("abc")
WHO = st.sampled_from([ALL, Audience(JO), Audience(ANN)])
TAGS = st.frozensets(st.sampled_from(["t1", "t2", "t3"]), max_size=2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("keep"), NAMES, WHO, TAGS, st.integers(1, 20)),
        st.tuples(st.just("find"), NAMES, st.sampled_from([JO, ANN, SCOPELESS])),
        st.tuples(st.just("forget"), TAGS),
        st.tuples(st.just("wait"), st.integers(1, 10)),
        st.tuples(st.just("zip"), NAMES, st.sampled_from([JO, ANN])),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(STEPS)
def test_whatever_happens_it_gives_what_a_dictionary_would(steps: list[Any]) -> None:
    """Only less of it: nothing foreign, ended or purged, and its books are right."""
    kept, model = Kept(entries=4), {}
    for number, step in enumerate(steps):
        match step:
            case ("keep", name, audience, tags, seconds):
                body = str(number).encode()
                kept.keep(name, audience, *tags, seconds=seconds, body=body)
                model[name, audience] = (body, tags, kept.time.now + seconds)
            case ("find", name, caller):
                body = kept.body(name, caller)
                allowed = {
                    one[0]
                    for (known, audience), one in model.items()
                    if known == name and audience.holds(caller) and one[2] > kept.time.now
                }
                assert body is None or body in allowed
            case ("forget", tags):
                kept.cache.forget(sorted(tags))
                model = {at: one for at, one in model.items() if not one[1] & tags}
            case ("wait", seconds):
                kept.time.now += seconds
            case ("zip", name, caller):
                if (reply := kept.cache.find(asked(name), caller)) is not None:
                    kept.cache.hold_coded(asked(name), reply, (b"gzip", b"zipped"))
        assert len(kept.cache) <= 4
        assert kept.cache.size == sum(kept.cache._sizes.values())
        assert set(kept.cache._sizes) == set(kept.cache._entries)
    kept.cache.forget(["t1", "t2", "t3"])
    assert not kept.cache._tagged
