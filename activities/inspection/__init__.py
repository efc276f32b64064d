"""What an upload is, decoded for real: its measures, and what it cannot be used for."""
