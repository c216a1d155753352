"""The web side of listening to files (HLS): who gets a signature, and a server for the files.

`rooms/media/hls/` writes the files on the node, `static/rooms/hls/` plays them in the page.
"""
