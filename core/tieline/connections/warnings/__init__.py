"""What is going to expire: told ahead of time, and expired when the time has come."""
