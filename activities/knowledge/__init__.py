"""What the house remembers of its songs."""
