"""The web server: daphne, with limits on what one websocket may do to all others."""
