"""Figures of the gateway at work, in the text format that Prometheus reads."""
