"""`python -m channels.push.web.sandbox FOLDER`: a double that ends when its standard input does."""

import sys
from pathlib import Path

from channels.push.web.sandbox.app import serve_browsers

serve_browsers(Path(sys.argv[1]), parent=sys.stdin.fileno())
