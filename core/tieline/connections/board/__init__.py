"""The practice's page of all clients with their connection of one product, counted by status."""
