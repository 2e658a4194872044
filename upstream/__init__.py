"""How any system is called: the wire, credentials, limits, the guard."""
