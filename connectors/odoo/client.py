"""Odoo's JSON-2 on the wire: one POST a question, typed answers, and what every question needs.

Which fields a model has, which languages are installed and what currencies are worth is read
once and kept as reference; none of it depends on a caller.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

import httpx2
import msgspec

from connectors.odoo.config import OdooConfig
from connectors.odoo.mapping import Currency
from ports.caller import Call
from ports.errors import (
    MalformedError,
    PermanentError,
    RefusedError,
    UnavailableError,
    UpstreamError,
)
from upstream.connector import Upstream
from upstream.http import ErrorType, HttpClient, Request, Response
from upstream.reference import Reference

T = TypeVar("T")

# Odoo answers 500 to a question it cannot read and to a transaction lost to another one alike;
# only the exception's name tells that the latter may be asked again.
_PASSING = (
    "SerializationFailure",
    "DeadlockDetected",
    "LockNotAvailable",
    "OperationalError",
    "InterfaceError",
    "PoolError",
    "TimeoutError",
    "ConnectionError",
    "MemoryError",
)
_ENGLISH = "en_US"


class _Problem(msgspec.Struct, gc=False):
    """The body of an error; `debug` (a traceback) is deliberately not read."""

    name: str


class _Language(msgspec.Struct, gc=False):
    code: str


class _CurrencyRow(msgspec.Struct, gc=False):
    id: int
    name: str
    rounding: Decimal
    rate: Decimal


def classify(response: Response) -> ErrorType | None:
    """Odoo's own reading of a 500: mostly a question that no repetition heals."""
    if response.status < 500:  # noqa: PLR2004
        return None
    try:
        problem = msgspec.json.decode(response.body, type=_Problem)
    except (msgspec.DecodeError, ValueError):
        return None
    return UnavailableError if problem.name.endswith(_PASSING) else RefusedError


class OdooClient:
    """The wire of one database. `upstream` and `config` are what it was built with.

    Raises the branches of UpstreamError; wrong types and missing keys are a MalformedError that
    names the operation.
    """

    def __init__(self, upstream: Upstream, config: OdooConfig) -> None:
        self.upstream = upstream
        self.config = config
        self._http = HttpClient(
            upstream.identity,
            config,
            credentials=_Keys(config),
            bulkhead=upstream.bulkhead(config),
            exchanges=upstream.exchanges,
            classify=classify,
            headers={"x-odoo-database": config.database} if config.database else None,
            transport=upstream.transport,
        )
        self._decoders: dict[object, msgspec.json.Decoder[Any]] = {}
        self._fields: dict[str, Reference[frozenset[str]]] = {}
        self._languages = Reference(self._load_languages)
        self._currencies = Reference(self._load_currencies)

    async def aclose(self) -> None:
        await self._languages.aclose()
        await self._currencies.aclose()
        for fields in self._fields.values():
            await fields.aclose()
        await self._http.aclose()

    async def ask(  # noqa: PLR0913 - a question has these parts, and each call site names few
        self,
        operation: str,
        model: str,
        method: str,
        arguments: Mapping[str, object],
        shape: type[T],
        *,
        call: Call,
    ) -> T:
        """The answer of `model.method(**arguments)`, decoded strictly into `shape`.

        The call's language (where Odoo has it) and the configured company are put into the
        context; keys of a context given in `arguments` win.
        """
        given = arguments.get("context")
        context = {**await self._context(call), **(given if isinstance(given, dict) else {})}
        return await self._post(
            operation, model, method, {**arguments, "context": context}, shape, call=call
        )

    def context(self, call: Call) -> dict[str, object]:
        """Odoo's context for this call: its language by the configured names, and the company."""
        tag = call.language.replace("_", "-")
        languages = self.config.languages
        lang = languages.get(tag) or languages.get(tag.partition("-")[0])
        context: dict[str, object] = {"lang": lang} if lang else {}
        if self.config.company_id:
            context["allowed_company_ids"] = [self.config.company_id]
        return context

    async def fields(self, model: str, *, call: Call) -> frozenset[str]:
        """The names of the model's fields in this database; they depend on installed modules.

        Raises RefusedError when the model itself does not exist or may not be read.
        """
        if model not in self._fields:
            self._fields[model] = Reference(lambda own: self._load_fields(model, own))
        return await self._fields[model].get(call)

    async def currencies(self, *, call: Call) -> Mapping[int, Currency]:
        """All currencies by id, the inactive included, with today's rates."""
        return await self._currencies.get(call)

    def error(self, kind: ErrorType, operation: str, detail: str) -> UpstreamError:
        return self._http.error(kind, operation, detail)

    def malformed(self, operation: str, detail: str) -> UpstreamError:
        """For an answer that decodes but cannot be true (an unknown currency, say)."""
        return self._http.error(MalformedError, operation, detail)

    async def _context(self, call: Call) -> dict[str, object]:
        context = self.context(call)
        # Odoo refuses the whole call for a language that is not installed.
        if "lang" in context and context["lang"] not in await self._languages.get(call):
            del context["lang"]
        return context

    async def _post(  # noqa: PLR0913 - as `ask`
        self,
        operation: str,
        model: str,
        method: str,
        arguments: Mapping[str, object],
        shape: type[T],
        *,
        call: Call,
    ) -> T:
        request = Request(operation, f"/json/2/{model}/{method}", "POST", json=arguments)
        response = await self._http.send(request, call=call)
        if shape not in self._decoders:
            self._decoders[shape] = msgspec.json.Decoder(shape)
        try:
            answer: T = self._decoders[shape].decode(response.body)
        except (msgspec.DecodeError, ValueError) as problem:
            raise self.malformed(operation, f"{model}.{method}: {problem}") from problem
        return answer

    async def _load_fields(self, model: str, call: Call) -> frozenset[str]:
        answer = await self._post(
            "reference.fields",
            model,
            "fields_get",
            {"attributes": ["type"]},
            dict[str, msgspec.Raw],
            call=call,
        )
        return frozenset(answer)

    async def _load_languages(self, call: Call) -> frozenset[str]:
        try:
            found = await self._post(
                "reference.languages",
                "res.lang",
                "search_read",
                {"domain": [["active", "=", True]], "fields": ["code"]},
                list[_Language],
                call=call,
            )
        except PermanentError:
            # A key without the right to see languages reads in English, which always works.
            return frozenset({_ENGLISH})
        return frozenset(row.code for row in found)

    async def _load_currencies(self, call: Call) -> Mapping[int, Currency]:
        company = [self.config.company_id] if self.config.company_id else None
        rows = await self._post(
            "reference.currencies",
            "res.currency",
            "search_read",
            {
                "domain": [["active", "in", [True, False]]],
                "fields": ["name", "rounding", "rate"],
                "context": {"allowed_company_ids": company} if company else {},
            },
            list[_CurrencyRow],
            call=call,
        )
        return {row.id: Currency(row.id, row.name, row.rounding, row.rate) for row in rows}


class _Keys:
    """The API key as bearer; once it is refused, the one that follows it, and so in turn."""

    def __init__(self, config: OdooConfig) -> None:
        keys = [config.api_key, *([config.next_api_key] if config.next_api_key else [])]
        self._headers = [{"authorization": f"bearer {key.get_secret_value()}"} for key in keys]

    async def headers(self, _client: httpx2.AsyncClient, /) -> Mapping[str, str]:
        return self._headers[0]

    def ready(self) -> Mapping[str, str]:
        return self._headers[0]

    def refused(self, headers: Mapping[str, str], /) -> bool:
        if headers.get("authorization") == self._headers[0]["authorization"]:
            self._headers.append(self._headers.pop(0))
        return len(self._headers) > 1
