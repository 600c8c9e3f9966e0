"""The list of clients with how each is connected, for spreadsheets."""
