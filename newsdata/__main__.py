"""`python -m newsdata` is the command `newsdata`."""

from .cli import main

main()
