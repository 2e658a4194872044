"""Trusted documents: which manifests are read, what is told of wrong ones, what is logged."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema
from structlog.testing import capture_logs

from gateway.operations import trusted
from gateway.operations.documents import DocumentLimits, Documents
from gateway.operations.trusted import (
    ManifestError,
    Mode,
    TrustedDocuments,
    only_reads_schema,
    read_manifest,
)

SCHEMA = build_schema("type Query { a: Query b(x: Int): String _service: String }")
LIST = "query List { a { b } }"
ITEM = "query Item($x: Int) { b(x: $x) }"


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@pytest.fixture
def documents() -> Documents:
    return Documents(SCHEMA)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "manifest.json"


def apollo(*operations: object, **more: object) -> dict[str, object]:
    return {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": list(operations),
        **more,
    }


def operation(name: str, body: str, identifier: str | None = None) -> dict[str, object]:
    return {"id": identifier or digest(body), "name": name, "type": "query", "body": body}


@pytest.mark.parametrize(
    ("tree", "names"),
    [
        (apollo(operation("List", LIST), operation("Item", ITEM)), (digest(LIST), digest(ITEM))),
        (
            apollo(operation("List", LIST, "my-list"), operation("Item", ITEM, "1")),
            ("my-list", "1"),
        ),
        ({"3be4abb81fa595e25eb725b2c6a87508": LIST, "b": ITEM}, ("b",)),
        ({digest(LIST): LIST, digest(ITEM): ITEM}, (digest(LIST), digest(ITEM))),
        ({f"sha256:{digest(LIST)}": LIST, "storefront~1.0~item": ITEM}, ("storefront~1.0~item",)),
    ],
    ids=["apollo", "apollo with own identifiers", "relay", "code generator", "others"],
)
def test_manifests_of_common_tools(
    documents: Documents, file: Path, tree: object, names: tuple[str, ...]
) -> None:
    file.write_text(json.dumps(tree))
    manifest = read_manifest(file, documents)
    assert not manifest.problems
    known = TrustedDocuments(manifest.texts)
    for text in (LIST, ITEM):
        assert known.text(digest(text)) == text
        assert known.text(f"sha256:{digest(text)}") == text
    for name in names:
        assert known.text(name) in {LIST, ITEM}
        assert known.text(f"sha256:{name}") in {LIST, ITEM}
    for name in ("", "sha256:", digest("{ b }"), digest(LIST).upper(), "md5:b"):
        assert known.text(name) is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[]", "must hold a JSON object"),
        ('"query"', "must hold a JSON object"),
        ('{"format": "other", "version": 1, "operations": []}', "known is apollo-persisted"),
        (json.dumps(apollo(version=2)), "version 1"),
        (json.dumps(apollo(operations={})), "known is apollo-persisted"),
    ],
)
def test_what_is_no_manifest(documents: Documents, file: Path, content: str, said: str) -> None:
    file.write_text(content)
    with pytest.raises(ManifestError, match=said):
        read_manifest(file, documents)


def test_files_that_cannot_be_read(documents: Documents, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="there is no such file"):
        read_manifest(tmp_path / "nothing.json", documents)
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path, documents)


def test_all_that_is_wrong_is_told_at_once(file: Path) -> None:
    broken: list[Any] = [
        operation("List", LIST),
        operation("Gone", "query Gone { price stock media maker weight }"),
        operation("Broken", "query Broken {"),
        operation("Taken", ITEM, digest(LIST)),
        operation("Large", "query Large { " + "b " * 20 + "}"),
        {"name": "Nameless", "body": ITEM},
        {"name": "Empty", "id": "e", "body": ""},
        "nonsense",
    ]
    file.write_text(json.dumps(apollo(*broken)))
    manifest = read_manifest(file, Documents(SCHEMA, DocumentLimits(max_tokens=15)))
    assert dict(manifest.texts) == {digest(LIST): LIST}
    gone, unparsable, taken, large, nameless, empty, nonsense = manifest.problems
    assert gone.startswith("operation 'Gone': Cannot query field 'price' on type 'Query'; ")
    assert gone.endswith("; and 2 more")
    assert unparsable.startswith("operation 'Broken': Syntax Error")
    assert taken == "operation 'Taken': has the identifier of another document"
    assert "15 tokens" in large
    assert nameless == "operation 'Nameless': has no identifier"
    assert empty == "operation 'Empty': has no text"
    assert nonsense == "operation 8: has no identifier"


def test_wrong_entries_of_a_plain_map(documents: Documents, file: Path) -> None:
    file.write_text(json.dumps({"": LIST, "n": 1, "gone": "{ c }", "fine": LIST}))
    manifest = read_manifest(file, documents)
    assert list(manifest.texts) == ["fine"]
    assert [problem.partition(":")[0] for problem in manifest.problems] == [
        "document ''",
        "document 'n'",
        "document 'gone'",
    ]


@pytest.mark.parametrize(("mode", "admitted"), [("off", True), ("log", True), ("only", False)])
def test_modes(mode: Mode, *, admitted: bool) -> None:
    known = TrustedDocuments({"list": LIST}, mode)
    assert known.admits(LIST)
    assert known.admits(ITEM) is admitted
    assert known.admits(LIST + " ") is admitted


def noted(known: TrustedDocuments, documents: Documents, *texts: str) -> list[Any]:
    with capture_logs() as logs:
        for text in texts:
            known.note(text, documents.document(text))
    return list(logs)


def test_unknown_documents_are_logged_once(documents: Documents) -> None:
    known = TrustedDocuments({"list": LIST}, "log")
    entries = noted(known, documents, ITEM, LIST, ITEM, "{ b }", ITEM)
    assert [(one["sha256"], one["operations"]) for one in entries] == [
        (digest(ITEM), ["Item"]),
        (digest("{ b }"), []),
    ]
    assert "$x" not in str(entries)  # a text may hold what is private


def test_other_modes_log_nothing(documents: Documents) -> None:
    for mode in ("off", "only"):
        assert not noted(TrustedDocuments({}, mode), documents, ITEM)


def test_the_log_is_bounded(documents: Documents) -> None:
    texts = [f"{{ b(x: {number}) }}" for number in range(trusted.MAX_NOTED + 20)]
    entries = noted(TrustedDocuments({}, "log"), documents, *texts)
    assert len(entries) == trusted.MAX_NOTED + 1
    assert "no more are logged" in entries[-1]["event"]


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("{ __schema { queryType { name } } }", True),
        ('query A { __typename } query B { __type(name: "Query") { name } _service }', True),
        (
            "{ ...F ... on Query { __typename } } fragment F on Query { __schema { description } }",
            True,
        ),
        ("{ __schema { description } b }", False),
        ("query A { __typename } query B { b }", False),
        ("{ ...F } fragment F on Query { ...G } fragment G on Query { b }", False),
        ("{ ... on Query { x: b } }", False),
        ("{ __typename: b }", False),
    ],
)
def test_what_only_reads_the_schema(documents: Documents, text: str, *, only: bool) -> None:
    assert only_reads_schema(documents.document(text)) is only
