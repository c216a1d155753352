"""Names of the keys that rooms keeps in Redis beside the rows.

`rooms.media.contract` names those that are shared with media nodes.
"""

PRESENCE = "spaces:presence:{space}"  # sorted set: connection -> unix seconds until which it counts
REACTIONS = "spaces:reactions:{space}"  # hash: emoji -> count since the last event
AUDIENCE = "spaces:audience:{space}"  # list of who came and went since the last event
LINE = "spaces:line:{space}"  # sorted set: who waits for a place in the sound -> his ticket
TICKETS = "spaces:line:tickets"  # the last ticket that was given
CALLED = "spaces:line:called:{space}"  # sorted set: whose turn it is -> unix seconds until which it is
TOLD = "spaces:line:told:{space}"  # hash: who waits -> the place that he was told last
SOUNDED = "spaces:sounded:{space}"  # sorted set: participant -> unix seconds at which he last got his sound
TURN = "spaces:turn:{what}"  # there while a process has sent that sum a moment ago
CONNECTIONS = "spaces:connections:{participant}"  # set: those that somebody opened, and that have not ended
RELAYS = "spaces:relays:{member}"  # how often a member got credentials for TURN in this minute
SUM_SECONDS = 60  # sums that no process picked up are of no interest after that
