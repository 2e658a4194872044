"""The pages a person sees: plain HTML that works without scripts, and lets nothing else in."""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from sandbox.oauth.clients import Client
from sandbox.oauth.people import Person

TICKET = "sandbox_login"
"The name of the cookie, and of the field that has to repeat it."

_TICKETS = re.compile(r"[A-Za-z0-9_-]{43}")
_STYLE = """
:root { color-scheme: light dark; --ink: #1a1d21; --paper: #fff; --soft: #f2f4f7; --line: #6b7280;
  --mark: #0b57d0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --paper: #17191c; --soft: #23262b; --line: #9aa0a6; --mark: #8ab4f8; } }
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--soft); }
main { max-width: 34rem; margin: 6vh auto; padding: 2rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: .5rem; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.2; }
h2 { margin: 1.5rem 0 .5rem; font-size: 1.125rem; line-height: 1.3; }
ul.people { margin: 0; padding: 0; list-style: none; }
ul.people li { margin: .5rem 0; }
button { width: 100%; padding: .75rem 1rem; font: inherit; text-align: left; color: inherit;
  background: transparent; border: 1px solid var(--line); border-radius: .375rem; cursor: pointer; }
button:hover { background: var(--soft); }
button:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
button strong, button span { display: block; }
button.refuse { width: auto; }
code { overflow-wrap: anywhere; }
ul.scopes { padding-left: 1.25rem; }
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title} - Passerelle sandbox</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""
_LOGIN = """<p><strong>{client}</strong> asks to act in your name. This is the sandbox: everybody here
is invented, and there are no passwords.</p>
<form method="post">
<input type="hidden" name="ticket" value="{ticket}">
<h2 id="who">Who are you?</h2>
<ul class="people" aria-labelledby="who">
{people}
</ul>
<h2>What it may do</h2>
<ul class="scopes">
{scopes}
</ul>
<p>Afterwards you return to <code>{back}</code>.</p>
<button class="refuse" name="decision" value="refuse">Do not sign in</button>
</form>"""
_PERSON = """<li><button name="person" value="{id}"><strong>{name}</strong>
<span>{title}</span></button></li>"""
_MEANINGS: Mapping[str, str] = {
    "catalog:read": "Read the catalogue",
    "prices:read": "Read prices",
    "stock:read": "Read availability",
    "customers:read": "Read customer accounts",
    "orders:read": "Read orders, deliveries and tracking",
    "invoices:read": "Read invoices",
    "customers:act-for": "Act for other customers (staff only)",
    "systems:read": "Read the state of the systems behind (staff only)",
    "openid": "Know who you are",
    "profile": "Know your name and company",
    "email": "Know your e-mail address",
    "offline_access": "Stay signed in while you are away",
}


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person is asked to agree to."""

    client: Client
    scope: str
    redirect_uri: str


def ticket_of(cookie: str | None) -> str:
    """The browser's ticket, or a new one: two tabs of one browser share it."""
    return cookie if cookie and _TICKETS.fullmatch(cookie) else _new_ticket()


def login(consent: Consent, people: Iterable[Person], ticket: str) -> HTMLResponse:
    """The choice of a person. The answer's form may lead to the client, and nowhere else."""
    shown = [
        _PERSON.format(id=escape(one.id), name=escape(one.name), title=escape(one.title))
        for one in people
    ]
    rights = [f"<li>{escape(_MEANINGS.get(one, one))}</li>" for one in consent.scope.split()]
    content = _LOGIN.format(
        client=escape(consent.client.name),
        ticket=escape(ticket),
        people="\n".join(shown),
        scopes="\n".join(rights),
        back=escape(_origin(consent.redirect_uri)),
    )
    return _page("Sign in", content, form_action=f"'self' {_source(consent.redirect_uri)}")


def problem(text: str, status: int = 400) -> HTMLResponse:
    """What went wrong, where the client cannot be trusted with the answer."""
    content = f"<p>{escape(text)}</p>\n<p>Go back to the application and try again.</p>"
    return _page("This request cannot be answered", content, status=status)


def signed_out() -> HTMLResponse:
    return _page("You are signed out", "<p>You can close this page.</p>")


def _page(
    title: str, content: str, *, status: int = 200, form_action: str = "'none'"
) -> HTMLResponse:
    html = _PAGE.format(title=title, style=_STYLE, content=content)
    return HTMLResponse(html, status, _headers(form_action))


def _headers(form_action: str) -> dict[str, str]:
    style = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = (
        "default-src 'none'",
        f"style-src 'sha256-{style}'",
        f"form-action {form_action}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Pragma": "no-cache",
    }


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _source(address: str) -> str:
    """The source that stands for it in a policy, whose grammar has no IPv6 addresses.

    Browsers hold the redirect that follows a form to `form-action`, too.
    """
    return "http:" if "[" in address else _origin(address)


def _new_ticket() -> str:
    return secrets.token_urlsafe(32)
