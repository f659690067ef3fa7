"""``python -m nervura``."""

import sys

from nervura.cli import main

if __name__ == "__main__":
    sys.exit(main())
