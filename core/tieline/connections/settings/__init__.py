"""What people settle about a connection: declared by its plugin, stored with it, kept through reconnects."""
