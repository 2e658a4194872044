"""What an issuer tells about itself: OpenID Connect Discovery, else RFC 8414."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from gateway.access.fetch import Fetcher, FetchError
from gateway.settings.access import IssuerSettings, is_loopback


class Discovery:
    """The addresses of one issuer. What is configured wins over what the issuer tells."""

    def __init__(self, settings: IssuerSettings, fetcher: Fetcher) -> None:
        self._settings = settings
        self._fetcher = fetcher
        self._document: Mapping[str, Any] = {}

    def forget(self) -> None:
        """The next question for an address asks the issuer again."""
        self._document = {}

    async def jwks_uri(self) -> str:
        """Raises FetchError, as `introspection_endpoint` does."""
        return self._settings.jwks_uri or await self._told("jwks_uri")

    async def introspection_endpoint(self) -> str:
        asked = self._settings.introspection
        return (asked and asked.endpoint) or await self._told("introspection_endpoint")

    async def _told(self, name: str) -> str:
        if not self._document:
            self._document = await self._discovered()
        address = self._document.get(name)
        if not isinstance(address, str):
            raise FetchError(f"the metadata has no {name}")
        if not self._is_safe(address):
            raise FetchError(f"the metadata's {name} is not https")
        return address

    async def _discovered(self) -> Mapping[str, Any]:
        failure = FetchError("no metadata")
        for address in self._places():
            try:
                document = await self._fetcher.get(address)
            except FetchError as problem:
                failure = problem
                continue
            if document.get("issuer") == self._settings.issuer:
                return document
            failure = FetchError("the metadata are of another issuer")
        raise failure

    def _places(self) -> tuple[str, ...]:
        if self._settings.discovery:
            return (self._settings.discovery,)
        issuer = self._settings.issuer.rstrip("/")
        parts = urlsplit(issuer)
        oauth = f"/.well-known/oauth-authorization-server{parts.path}"
        return (
            f"{issuer}/.well-known/openid-configuration",
            urlunsplit(parts._replace(path=oauth)),
        )

    def _is_safe(self, address: str) -> bool:
        """Never weaker than the issuer's own address: an issuer on the net names no inner host."""
        try:
            scheme, near = urlsplit(address).scheme, is_loopback(address)
        except ValueError:
            return False
        if scheme == "http":
            near = near and urlsplit(self._settings.issuer).scheme == "http"
            return near or self._settings.insecure
        return scheme == "https"
