"""The accounting systems that clients can be connected to."""
