"""The task screen's parts: the document, what comes of it, its tables and dialogs."""
