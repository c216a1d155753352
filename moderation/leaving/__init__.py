"""Members who leave or want their data, and rows that have been kept long enough."""
