"""Lists of the records that syncs brought."""
