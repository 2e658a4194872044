"""Files that a nightly export drops in a directory."""
