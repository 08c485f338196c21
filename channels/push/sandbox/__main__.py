"""`python -m channels.push.sandbox FOLDER`: a double that ends when its standard input does."""

import sys
from pathlib import Path

from channels.push.sandbox.server import run

run(Path(sys.argv[1]), parent=sys.stdin.fileno())
