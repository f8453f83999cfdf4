"""The attacker's process; the runner starts it and tells it what to do."""

import os
import sys

from wigwag.bench.adversary._attacker import serve
from wigwag.bench.adversary._catalogue import ATTACKS

# It has to give way: what is measured is the server, not who gets the core.
NICENESS = 10

if __name__ == "__main__":
    os.nice(NICENESS)
    serve(sys.stdin.buffer, sys.stdout.buffer, ATTACKS)
