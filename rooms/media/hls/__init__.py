"""The listeners' mix as files for any web server: segments of 2 s, playlists, and the signature in their address."""
