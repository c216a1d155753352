"""Names of the keys that rooms keeps in Redis beside the rows.

`rooms.media.contract` names those that are shared with media nodes.
"""

PRESENCE = "spaces:presence:{space}"  # sorted set: connection -> unix seconds until which its lease is valid
CONNECTIONS = "spaces:connections:{participant}"  # set: connections that this person opened and that have not ended

HELD = "spaces:held"  # there while a web process does not answer, and for a while after that

REACTIONS = "spaces:reactions:{space}"  # hash: emoji -> count since the last event
AUDIENCE = "spaces:audience:{space}"  # list: who came and left since the last event
SENT = "spaces:sent:{key}"  # there for a moment after a process has sent the sum under this key
SUM_SECONDS = 60  # a sum that no process has sent by then is out of date

QUEUE = "spaces:queue:{space}"  # sorted set: participant -> number in the queue
QUEUE_NUMBER = "spaces:queue:number"  # the last number that was given, over all Spaces
CALLED = "spaces:queue:called:{space}"  # sorted set: participant -> unix seconds until which the call is valid
PLACES = "spaces:queue:places:{space}"  # hash: participant -> the place that their page was last sent
HAD_SOUND = "spaces:had_sound:{space}"  # sorted set: participant -> unix seconds at which they last got sound

TURN_REQUESTS = "spaces:turn_requests:{member}"  # how often this member got credentials for TURN in this minute
