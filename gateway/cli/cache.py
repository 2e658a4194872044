"""`passerelle cache`: answers that a running gateway keeps, made to be forgotten.

Ends with 1 when the gateway refuses or is not there, with 2 for wrong options.
"""

from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    import httpx2

SECONDS = 15.0

app = typer.Typer(help="Kept answers.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Makes `purge` a command of its own while it is the only one."""


@app.command()
def purge(
    tag: Annotated[
        list[str],
        typer.Option(
            help="product:<sku>, order:<number>, customer:<number>, shipment:<key>, "
            "upstream:<name>, role:<role> or type:<Record>. Repeat."
        ),
    ],
    url: Annotated[
        str, typer.Option(envvar="PASSERELLE_URL", help="Root address of the gateway.")
    ] = "http://127.0.0.1:8000",
    api_key: Annotated[
        str | None,
        typer.Option(envvar="PASSERELLE_API_KEY", help="API key with the scope cache:purge."),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="PASSERELLE_TOKEN", help="Access token with it, instead of a key."),
    ] = None,
) -> None:
    """Forget every answer that has one of the tags, in all replicas."""
    import httpx2

    if (api_key is None) == (token is None):
        _fail("either --api-key or --token is needed, best as a variable: PASSERELLE_API_KEY", 2)
    headers = {"x-api-key": api_key} if api_key else {"authorization": f"Bearer {token}"}
    try:
        with httpx2.Client(timeout=SECONDS, trust_env=False) as client:
            answer = client.post(
                f"{url.rstrip('/')}/admin/cache/purge", json={"tags": tag}, headers=headers
            )
    except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
        _fail(f"{url}: {type(problem).__name__}", 1)
    typer.echo(f"{_purged(answer)} answers forgotten")


def _purged(answer: "httpx2.Response") -> int:
    if answer.status_code != 200:  # noqa: PLR2004
        _fail(_REASONS.get(answer.status_code, f"the gateway answered {answer.status_code}"), 1)
    try:
        return int(answer.json()["purged"])
    except (ValueError, LookupError, TypeError):
        _fail("the answer is not that of a gateway", 1)


_REASONS = {
    400: "the gateway refused: a tag is not of the form kind:key, or there are too many",
    401: "the gateway does not accept the key or token",
    403: "the key or token lacks the scope cache:purge",
    404: "there is no gateway at this address, or one without this command",
    503: "the gateway cannot tell just now who asks; try again",
}


def _fail(text: str, code: int) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
