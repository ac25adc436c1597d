"""`python -m gdr_tui.cli` is `gdr`."""

from gdr_tui.cli.main import main

if __name__ == "__main__":
    main()
