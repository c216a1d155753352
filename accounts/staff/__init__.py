"""What staff do to accounts in the admin."""
