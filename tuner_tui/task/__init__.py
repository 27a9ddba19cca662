"""The task file: reading it with every problem named, the parameter space, and what one launch needs."""
