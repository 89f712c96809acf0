"""`python -m smwatch` is the console script."""

from smwatch.cli import main

if __name__ == "__main__":
    main()
