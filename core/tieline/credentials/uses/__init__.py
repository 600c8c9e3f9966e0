"""What still uses a credential, or the credential's way to one organisation."""
