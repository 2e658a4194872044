"""What the gateway asks of an information system: a file a role, one Protocol and its records."""
