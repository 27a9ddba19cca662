"""What the Compare screen shows: the verdict, the table of metrics, charts."""
