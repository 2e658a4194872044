"""The sandbox's own authorization server: an OpenID provider without passwords, for the demo."""

from sandbox.oauth.app import app
from sandbox.oauth.people import Person, Tenant, people, tenants
from sandbox.oauth.server import Terms

__all__ = ["Person", "Tenant", "Terms", "app", "people", "tenants"]
