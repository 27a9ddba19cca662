"""The log view: a file of any size that may be growing, shown, followed, filtered and searched."""
