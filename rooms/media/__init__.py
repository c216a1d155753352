"""The live sound: a WebRTC media node in pure Python. Imports no Django, so it can be used and tested alone."""
