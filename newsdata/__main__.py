"""`python -m newsdata` is the command `newsdata`."""

try:
    from .cli.main import main
except KeyboardInterrupt:  # stopped before anything began
    raise SystemExit(130) from None

main()
