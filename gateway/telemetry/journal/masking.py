"""What the journal never keeps: credentials, and personal data by the names of their fields."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

MASK = "***"
SECRET = frozenset(
    {"access_token", "api_key", "apikey", "authorization", "client_secret", "cookie"}
    | {"credential", "credentials", "passwd", "password", "refresh_token", "secret", "token"}
)
PERSONAL = frozenset(
    # Names of people and how they are reached, in the words of the systems.
    {"email", "email_from", "email_normalized", "emailaddress", "hs_email", "mail"}
    | {"phone", "phone_sanitized", "mobile", "mobilephone", "fax", "hs_phone", "telephone"}
    | {"firstname", "lastname", "first_name", "last_name", "fullname", "attentionname"}
    | {"contact_name", "contact_address", "complete_name", "display_name", "attention"}
    | {"street", "street2", "street_name", "streetaddress", "addressline", "address"}
    | {"zip", "postalcode", "postcode", "birthdate", "date_of_birth", "jobtitle", "vat"}
    | {"signedforbyname", "receivedby", "signature", "login", "username"}
    | {"partner_id", "partner_invoice_id", "partner_shipping_id", "commercial_partner_id"}
    | {"user_id", "invoice_user_id"}
)
# Everywhere else a name is that of a product or a place.
NAMED = frozenset({"name"})
PEOPLE = ("accounts", "customers", "directory")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
# None of the others is in a text without one of these.
_SUSPECT = re.compile(r"[@\s]")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
# "name": "value" or name=value; <name>value.
_FIELD = re.compile(
    r"""(?P<before>["']?(?P<name>[\w-]+)["']?\s*[:=]\s*["']?)(?:(?<=")[^"]*|(?<=')[^']*|[^"'&\s<>,;]+)"""
)
_ELEMENT = re.compile(r"(?P<before><(?:\w+:)?(?P<name>[\w-]+)[^<>]{0,200}>)[^<>]+")
_TRIPLE = 3


class Masking:
    """Masks decoded JSON. `more` are further names of fields, in any case."""

    def __init__(self, more: Collection[str] = ()) -> None:
        self._personal = PERSONAL | {name.lower() for name in more}
        self._secrets: tuple[str, ...] = ()

    def hide(self, secrets: Iterable[str]) -> None:
        """Masks these too, wherever a system echoes them: what the configuration keeps secret."""
        known = {one for one in (*self._secrets, *secrets) if one}
        self._secrets = tuple(sorted(known, key=len, reverse=True))

    def told(self, value: str) -> str:
        """A text of a system without credentials and e-mail addresses."""
        return self._hidden(text(value))

    def _hidden(self, value: str) -> str:
        for secret in self._secrets:
            value = value.replace(secret, MASK)
        return value

    def body(self, body: bytes, operation: str, most: int) -> str | None:
        """What may be kept of a body, cut to `most` characters; None of an empty one."""
        if not body:
            return None
        try:
            value = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError):
            return self._hidden(self._rough(body[: most * 2].decode(errors="replace")))[:most]
        return self.value(value, operation, most)

    def value(self, value: object, operation: str, most: int) -> str:
        names = self._personal
        if operation.partition(".")[0] in PEOPLE:
            names |= NAMED
        try:
            told = msgspec.json.encode(_masked(value, names)).decode()
        except (TypeError, ValueError, RecursionError):
            return MASK
        return self._hidden(told)[:most]

    def _rough(self, told: str) -> str:
        """What is not JSON, or half of it: whatever looks like a field is taken for one."""

        def hide(found: "re.Match[str]") -> str:
            is_hidden = _is_named(found["name"], self._personal | NAMED)
            return f"{found['before']}{MASK}" if is_hidden else found[0]

        return _FIELD.sub(hide, _ELEMENT.sub(hide, text(told)))


def text(value: str) -> str:
    """A text without e-mail addresses and credentials."""
    if _SUSPECT.search(value) is None:
        return value
    if "@" in value:
        value = _EMAIL.sub(MASK, value)
    return _BEARER.sub(MASK, value)


def _masked(value: Any, names: Collection[str]) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return _table(value, names)
    if isinstance(value, list | tuple):
        # A condition: ["email", "=", "somebody@example.org"].
        if len(value) == _TRIPLE and _is_named(value[0], names):
            return [value[0], value[1], _hidden(value[2])]
        return [_masked(one, names) for one in value]
    return value


def _table(value: Mapping[Any, Any], names: Collection[str]) -> dict[Any, Any]:
    # A condition: {"propertyName": "email", "operator": "EQ", "value": "somebody@example.org"}.
    about = any(_is_named(one, names) for one in value.values())
    masked = {}
    for name, one in value.items():
        if _is_named(name, names) or (about and name in {"value", "values", "highValue"}):
            masked[name] = _hidden(one)
        else:
            masked[name] = _masked(one, names)
    return masked


def _hidden(value: Any) -> Any:
    """As it was in shape: numbers of records stay, for they say which, not who."""
    if isinstance(value, str):
        return MASK
    if isinstance(value, list | tuple):
        return [_hidden(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _hidden(one) for name, one in value.items()}
    return value


def _is_named(name: object, names: Collection[str]) -> bool:
    if not isinstance(name, str):
        return False
    lowered = name.lower()
    return lowered in names or lowered in SECRET
