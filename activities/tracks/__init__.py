"""What the tables say of tracks and releases."""
