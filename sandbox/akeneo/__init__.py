"""Akeneo's PIM (Serenity) as the sandbox plays it: the read side of the catalogue."""

from sandbox.akeneo.app import app

__all__ = ["app"]
