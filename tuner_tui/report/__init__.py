"""What a person or a pipeline takes away from a run: results.json and the summary table."""
