"""What the tables say of a render."""
