"""Connectors: one folder a vendor, each serving one or more ports."""
