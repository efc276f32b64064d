"""Tests mirror the source; durability/, replay/, architecture/ and quality/ stand apart."""
