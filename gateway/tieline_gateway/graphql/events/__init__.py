"""What happened to clients, connections and syncs: told again from a place on, then live."""
