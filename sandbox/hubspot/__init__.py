"""HubSpot's CRM as the sandbox plays it: the read side of companies, contacts and owners."""

from sandbox.hubspot.app import Limits, app

__all__ = ["Limits", "app"]
