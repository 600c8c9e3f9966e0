"""Where the reading of each feed stands, between runs and within one."""
