"""``python -m roomgate``."""

from roomgate.cli import main

if __name__ == "__main__":
    main()
