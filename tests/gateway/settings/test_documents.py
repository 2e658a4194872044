"""`[trusted_documents]` and `[apq]`: which manifests keep the gateway from starting, and which not."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from graphql import build_schema
from pydantic import ValidationError
from structlog.testing import capture_logs

from gateway.operations.documents import DocumentError, Documents
from gateway.operations.request import GraphQLRequest
from gateway.operations.trusted import Mode
from gateway.settings import SettingsError
from gateway.settings.documents import (
    ApqSettings,
    TrustedDocumentsSettings,
    persisted_documents,
    text_store,
)
from gateway.settings.rates import RedisSettings

SCHEMA = build_schema("type Query { a: Int }")


@pytest.fixture
def documents() -> Documents:
    return Documents(SCHEMA)


def manifest(tmp_path: Path, texts: dict[str, str]) -> str:
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(texts))
    return str(file)


@pytest.mark.parametrize("mode", ["log", "only"])
def test_a_file_is_needed(mode: Mode) -> None:
    with pytest.raises(ValidationError, match=f"`mode` {mode} needs a `file`"):
        TrustedDocumentsSettings(mode=mode)


def test_without_a_file_nothing_is_trusted(documents: Documents) -> None:
    assert TrustedDocumentsSettings().read(documents) is None


@pytest.mark.parametrize("mode", ["off", "log", "only"])
def test_what_is_no_manifest_is_a_mistake_in_every_mode(documents: Documents, mode: Mode) -> None:
    with pytest.raises(SettingsError) as refused:
        TrustedDocumentsSettings(mode=mode, file="nowhere.json").read(documents)
    assert refused.value.problems == (("trusted_documents.file", "there is no such file"),)


def test_only_trusted_documents_need_a_manifest_without_mistakes(
    documents: Documents, tmp_path: Path
) -> None:
    file = manifest(tmp_path, {"fine": "{ a }", "one": "{ b }", "two": "{"})
    with pytest.raises(SettingsError) as refused:
        TrustedDocumentsSettings(mode="only", file=file).read(documents)
    first, second = refused.value.problems
    assert first.path == second.path == "trusted_documents.file"
    assert first.text.startswith("document 'one': Cannot query field 'b'")
    assert second.text.startswith("document 'two': Syntax Error")


def test_an_empty_manifest_would_refuse_everything(documents: Documents, tmp_path: Path) -> None:
    file = manifest(tmp_path, {})
    with pytest.raises(SettingsError, match="holds no documents"):
        TrustedDocumentsSettings(mode="only", file=file).read(documents)
    assert TrustedDocumentsSettings(mode="log", file=file).read(documents) is not None


@pytest.mark.parametrize("mode", ["off", "log"])
def test_else_what_is_wrong_is_left_out(documents: Documents, tmp_path: Path, mode: Mode) -> None:
    file = manifest(tmp_path, {"fine": "{ a }", "one": "{ b }"})
    with capture_logs() as logs:
        trusted = TrustedDocumentsSettings(mode=mode, file=file).read(documents)
    assert trusted is not None
    assert trusted.text("fine") == "{ a }"
    assert trusted.text("one") is None
    (warning,) = logs
    assert warning["log_level"] == "warning"
    assert "'one'" in warning["problem"]


async def registered(settings: TrustedDocumentsSettings, apq: ApqSettings) -> bool:
    source = persisted_documents(
        Documents(SCHEMA), settings, text_store(settings, apq, RedisSettings())
    )
    document_id = "sha256:" + sha256(b"{ a }").hexdigest()
    try:
        await source.requested(GraphQLRequest("{ a }", document_id=document_id), None)
        await source.requested(GraphQLRequest(None, document_id=document_id), None)
    except DocumentError:
        return False
    return True


async def test_what_clients_may_register(tmp_path: Path) -> None:
    only = manifest(tmp_path, {"other": "query Other { a }"})
    assert await registered(TrustedDocumentsSettings(), ApqSettings())
    assert await registered(TrustedDocumentsSettings(mode="log", file=only), ApqSettings())
    assert not await registered(TrustedDocumentsSettings(), ApqSettings(enabled=False))
    assert not await registered(TrustedDocumentsSettings(mode="only", file=only), ApqSettings())
