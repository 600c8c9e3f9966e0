"""What time does to everything: consents that run out, tokens to renew, rows to forget. Found in all practices."""
