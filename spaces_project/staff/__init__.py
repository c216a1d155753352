"""The admin as Spaces has it: pages of its own models, entered with a second factor."""
