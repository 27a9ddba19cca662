"""The process that executes one run, and the guard that cleans up should it die."""
