"""What to launch next, the objective, and the verdict. Pure functions and small classes, no I/O."""
