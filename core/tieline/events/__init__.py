"""What happened, kept for replay: written with the change, read in the order of commit, at least once."""
