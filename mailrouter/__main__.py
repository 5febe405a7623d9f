"""``python -m mailrouter``."""

import sys

from mailrouter.cli import main

sys.exit(main())
