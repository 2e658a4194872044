"""What speaks HTTP to clients: the endpoint, the page at `/`, health, headers, limits."""
