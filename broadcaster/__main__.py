"""`python -m broadcaster`."""

from broadcaster.cli.app import main

if __name__ == "__main__":
    main()
