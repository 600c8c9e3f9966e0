"""Teams: groups of members who look after the same clients."""
