"""The public contract: GraphQL types only."""
