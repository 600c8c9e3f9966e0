"""What an action on one connection would do, before anybody takes it."""
