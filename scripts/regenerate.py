"""`newsdata regenerate` as a script, for crontabs that name it. docs/regenerate.md has recipes."""

import sys

from newsdata.cli.main import main

if __name__ == "__main__":
    sys.argv.insert(1, "regenerate")
    main()
