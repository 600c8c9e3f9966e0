"""Many connections hung on the caller's own sign-in at once: reconnect all that are broken, or reassign chosen ones."""
