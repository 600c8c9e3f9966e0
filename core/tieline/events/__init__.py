"""What happened, kept for replay: written with the change, read so that none is skipped, at least once."""
