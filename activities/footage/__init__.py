"""Footage of others, found, fetched and brought into the house's own format."""
