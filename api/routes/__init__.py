"""One file for each kind of thing the API speaks of."""
