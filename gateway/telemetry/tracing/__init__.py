"""The gateway in distributed traces: W3C Trace Context, and spans to a collector by OTLP."""
