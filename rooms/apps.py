from typing import Any

from django.apps import AppConfig


class RoomsConfig(AppConfig):
    name = "rooms"

    def ready(self) -> None:
        """Rights that accounts takes away reach the live rooms: one verb per signal."""
        from accounts import signals
        from rooms.models import Space

        def suspended(user: Any, **kwargs: Any) -> None:
            Space.recheck(user)

        def blocked(blocker: Any, blocked: Any, **kwargs: Any) -> None:
            Space.recheck(blocker)
            Space.recheck(blocked)

        def follow_changed(follower: Any, **kwargs: Any) -> None:
            Space.recheck(follower)

        signals.suspended.connect(suspended, weak=False, dispatch_uid="rooms")
        signals.blocked.connect(blocked, weak=False, dispatch_uid="rooms")
        signals.follow_began.connect(follow_changed, weak=False, dispatch_uid="rooms")
        signals.follow_ended.connect(follow_changed, weak=False, dispatch_uid="rooms")
