"""The load rig of the benchmarks: a media node and Janus as processes of their own, real WebRTC peers in this one.

`machine` pins and measures processes. `node` and `janus` start the servers and do their signalling. `crowd` has the
peers, `relay` is a bad network between them, `floor` is the least possible work, `sound` makes and compares sound.
"""
