"""What an action on one client would do, before anybody takes it."""
