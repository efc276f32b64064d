"""Artists as the tables and other workflows know them."""
