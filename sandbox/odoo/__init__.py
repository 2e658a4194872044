"""The sandbox's Odoo 19: JSON-2 over a database made of the world's facts."""

from typing import TYPE_CHECKING

from sandbox.odoo.loading import loaded
from sandbox.odoo.server import Clock, Server, wall_clock
from sandbox.world import World

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def app(world: World, base_url: str, clock: Clock = wall_clock) -> "ASGIApp":
    """The whole dialect below one mount point; prices use rules valid at `clock()`."""
    return Server(loaded(world, base_url), clock)
