"""Leaving: a member closes their account, may come back for some days, and is erased afterwards."""
