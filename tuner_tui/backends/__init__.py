"""Where a server runs: start a launch spec, follow its log, wait, stop, remove; and which GPUs there are."""
