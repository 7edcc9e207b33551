"""`python -m wherry`: the same as the `wherry` command."""

import sys

from wherry.cli.fast import main

sys.exit(main())
