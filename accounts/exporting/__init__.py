"""The export of a member's own data: asked for on a page, written by a worker, there for a day."""
