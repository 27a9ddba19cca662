"""Traffic: scenarios, prompts, the generator process, and request records turned into metrics."""
