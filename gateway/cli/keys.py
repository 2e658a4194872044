"""`passerelle keys`: API keys made, listed, replaced and ended.

Only `[access.keys]` of the configuration is read, so that a key can be revoked from anywhere.
Ends with 1 when something cannot be done, with 2 for wrong options or settings.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from gateway.access.key_ring import Issued, KeyRing, Order
    from gateway.settings.keys import KeySettings

CONFIG = Path("passerelle.toml")
ALL = "*"
NEVER = "never"
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PEPPER = "PASSERELLE_ACCESS__KEYS__PEPPER"

T = TypeVar("T")

app = typer.Typer(help="API keys.", no_args_is_help=True, rich_markup_mode=None)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="PASSERELLE_CONFIG", help="The TOML file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As `passerelle keys list` has it.")]


def _lifetime(text: str) -> str:
    """Checked where typer tells which option is wrong."""
    duration(text)
    return text


def duration(text: str) -> timedelta | None:
    """`90d`, `12h`, `2w`; None for `never`. Raises typer.BadParameter."""
    if text == NEVER:
        return None
    number, unit = text[:-1], text[-1:]
    # Seven digits are more than ten years of minutes, and far from what timedelta refuses.
    if not (number.isascii() and number.isdigit() and len(number) < 8) or unit not in _UNITS:  # noqa: PLR2004
        raise typer.BadParameter("must be like 90d, 12h or 2w, or `never`")
    return timedelta(**{_UNITS[unit]: int(number)})


LifetimeOption = Annotated[str, typer.Option(help="90d, 12h, 2w or never.", callback=_lifetime)]


def _overlap(text: str) -> str:
    if duration(text) is None:
        raise typer.BadParameter("must be like 7d: one of the two keys has to end")
    return text


@app.command()
def create(  # noqa: PLR0913, PLR0917 - each is an option
    name: Annotated[str, typer.Argument(help="Who is to have the key.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may ask for; else what is public. Repeat.")
    ] = None,
    customer: Annotated[
        list[str] | None,
        typer.Option(help="Number of a customer it may act for, * for all. Repeat."),
    ] = None,
    default_customer: Annotated[
        str | None, typer.Option(help="Customer it acts for unless told; else its only one.")
    ] = None,
    expires: LifetimeOption = "365d",
    rate_class: Annotated[str, typer.Option(help="Table of [rates] that limits it.")] = "default",
    origin: Annotated[
        list[str] | None, typer.Option(help="Web origin that requests must come from. Repeat.")
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="Make a gw_test_ key.")] = False,
    json: JsonOption = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Make a key and print it, this once."""
    from gateway.access.key_format import KeyKind
    from gateway.access.key_ring import Order
    from resolvers.scopes import PUBLIC_SCOPES

    order = Order(
        name=name,
        scopes=_words(scope) or PUBLIC_SCOPES,
        customers=None if ALL in _words(customer) else _words(customer),
        customer=default_customer,
        rate_class=rate_class,
        origins=_words(origin),
        kind=KeyKind.TEST if test else KeyKind.LIVE,
        lifetime=duration(expires),
    )
    _hint_at_scopes(order)
    settings = _with_pepper(_settings(config))
    _print_issued(_done(settings, lambda ring: ring.create(order)), json=json)


@app.command("list")
def list_keys(json: JsonOption = False, config: ConfigOption = CONFIG) -> None:
    """List the keys, without what is secret of them."""
    from gateway.access.key_wiring import peppers_of
    from gateway.cli.key_printing import print_keys

    settings = _settings(config)
    keys = _done(settings, lambda ring: ring.keys())
    print_keys(keys, peppers_of(settings), json=json)


@app.command()
def rotate(
    key_id: IdArgument,
    overlap: Annotated[
        str, typer.Option(help="How long the old key goes on.", callback=_overlap)
    ] = "7d",
    expires: Annotated[
        str | None,
        typer.Option(
            help="90d, 12h, 2w or never; else as the old key.",
            callback=lambda text: text and _lifetime(text),
        ),
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Make a second key for the same client; the old one ends after the overlap."""
    from gateway.access.key_ring import Rotation

    plan = Rotation(
        overlap=duration(overlap) or timedelta(),
        same_lifetime=expires is None,
        lifetime=duration(expires or NEVER),
    )
    settings = _with_pepper(_settings(config))
    _print_issued(_done(settings, lambda ring: ring.rotate(key_id, plan)), json=json)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, or the key itself.")],
    config: ConfigOption = CONFIG,
) -> None:
    """End a key; within a second no gateway accepts it."""
    settings = _settings(config)
    key = _done(settings, lambda ring: ring.revoke(key_id))
    typer.echo(f"{key.id} ({key.name}) is revoked since {key.revoked_at:%Y-%m-%d %H:%M:%S} UTC")


@app.command()
def pepper() -> None:
    """Print a new pepper: a secret for the environment or a vault, made once an installation."""
    import secrets

    typer.echo(secrets.token_urlsafe(32))


def _settings(config: Path) -> "KeySettings":
    """Of the file and the environment; the file may be missing unless it was named."""
    from gateway.settings.environment import overlay
    from gateway.settings.keys import KeySettings
    from gateway.settings.validation import validated

    named = config != CONFIG or config.exists()
    tree, problems = overlay(_tables(config) if named else {}, os.environ, ())
    table = _table(_table(tree, "access"), "keys", "access.")
    settings, found = validated(KeySettings, table, "access.keys")
    if settings is None or found or problems:
        _fail("\n".join(map(str, [*problems, *found])), 2)
    return settings


def _table(tables: Mapping[str, Any], name: str, above: str = "") -> Mapping[str, Any]:
    table = tables.get(name, {})
    if not isinstance(table, Mapping):
        _fail(f"{above}{name}: must be a table", 2)
    return table


def _tables(config: Path) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(config.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        _fail(f"{config}: there is no such file", 2)
    except OSError as error:
        _fail(f"{config}: cannot be read: {error.strerror}", 2)
    except ValueError as error:
        _fail(f"{config}: is not TOML: {error}", 2)


def _with_pepper(settings: "KeySettings") -> "KeySettings":
    if settings.pepper is None:
        _fail(
            "access.keys.pepper: missing; keys are stored under it. Make one, keep it safe and "
            f"give it to every gateway:\n  export {_PEPPER}=$(passerelle keys pepper)",
            2,
        )
    return settings


def _done(settings: "KeySettings", work: "Callable[[KeyRing], Awaitable[T]]") -> T:
    """What came of it. Ends the command with 1 when it cannot be done."""
    import asyncio

    from gateway.access.key_ring import KeyRing, KeyRingError
    from gateway.access.key_store import KeyStoreError
    from gateway.access.key_wiring import peppers_of, store_of

    async def run() -> T:
        store = store_of(settings)
        try:
            return await work(KeyRing(store, peppers_of(settings)))
        finally:
            await store.aclose()

    try:
        return asyncio.run(run())
    except (KeyRingError, KeyStoreError) as error:
        _fail(str(error), 1)


def _print_issued(issued: "Issued", *, json: bool) -> None:
    from gateway.cli.key_printing import print_issued

    print_issued(issued, json=json)


def _hint_at_scopes(order: "Order") -> None:
    """Connectors and settings may have scopes of their own, so this is no mistake."""
    from gateway.settings.problems import suggestion
    from resolvers.scopes import ALL_SCOPES

    for scope in sorted(order.scopes - ALL_SCOPES):
        if hint := suggestion(scope, ALL_SCOPES):
            typer.echo(f"note: no field asks for the scope {scope!r}{hint}", err=True)


def _words(told: list[str] | None) -> frozenset[str]:
    """Repeated options, or several values with commas between."""
    words = (word.strip() for text in told or () for word in text.split(","))
    return frozenset(filter(None, words))


def _fail(text: str, code: int) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
