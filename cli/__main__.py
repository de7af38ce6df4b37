"""`python -m cli` is `tallyscan`."""

from cli.main import main

main()
