"""Each inference engine: its image, command line, flags, readiness, and the language of its log."""
