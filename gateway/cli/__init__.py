"""The command line. Every command imports what it runs when it is run."""
