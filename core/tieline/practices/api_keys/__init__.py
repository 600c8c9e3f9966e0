"""API keys as people deal with them: made for themselves, by admins for others and for services, listed and ended."""
