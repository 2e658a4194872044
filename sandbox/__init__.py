"""A runnable information system that speaks the vendors' dialects. Imports nothing of the product."""
