"""A run on disk: events, journal, commands, folder, and the state folded from them."""
