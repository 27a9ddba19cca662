"""`python -m tuner_tui` is `tuner-tui`."""

from tuner_tui.cli.entry import main

if __name__ == "__main__":
    main()
