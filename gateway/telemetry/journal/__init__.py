"""What was asked of the systems, by whom and why, and what came of it."""
