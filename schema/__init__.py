"""The public contract: GraphQL types only."""

import schema.enums  # noqa: F401 - enums must be described before a view names them
