"""`python -m sandbox [PORT]`: the sandbox by itself."""

import sys

from sandbox.app import serve

serve(int(sys.argv[1]) if len(sys.argv) > 1 else 8100)
