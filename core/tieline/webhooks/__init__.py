"""What providers tell by themselves: verified, taken down once, and turned into syncs of what was touched."""
