"""Sessions of members: what ends with them."""
