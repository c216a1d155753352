"""The demonstration: who is in it, what they say, and the Spaces that they keep live."""
