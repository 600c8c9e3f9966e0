"""The records of a connection's books, as they were last synced."""
