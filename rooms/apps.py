from collections.abc import Callable
from typing import Any

from django.apps import AppConfig
from django.dispatch import Signal


class RoomsConfig(AppConfig):
    name = "rooms"

    def ready(self) -> None:
        """Carry changes of rights in accounts into live Spaces: one verb per signal."""
        from accounts import signals
        from rooms import events
        from rooms.models import Space, leaving
        from rooms.models import exporting as exports

        def standing_changed(user: Any, **kwargs: Any) -> None:
            Space.recheck(user)

        def block_changed(blocker: Any, blocked: Any, **kwargs: Any) -> None:
            Space.recheck(blocker)
            Space.recheck(blocked)

        def follow_changed(follower: Any, **kwargs: Any) -> None:
            Space.recheck(follower)

        def sessions_ended(user: Any, only: str = "", kept: str = "", renewed: str = "", **kwargs: Any) -> None:
            events.sessions_ended(user.pk, only, kept, renewed)

        def closing(user: Any, **kwargs: Any) -> None:
            leaving.end_spaces(user)

        def erasing(user: Any, **kwargs: Any) -> None:
            leaving.forget(user)

        receivers: dict[Callable[..., Any], tuple[Signal, ...]] = {
            standing_changed: (signals.suspended, signals.suspension_lifted),
            block_changed: (signals.blocked, signals.unblocked),
            sessions_ended: (signals.sessions_ended,),
            closing: (signals.closing,),
            erasing: (signals.erasing,),
            lambda user, **_: exports.files(user): (signals.exporting,),
            follow_changed: (signals.follow_began, signals.follow_ended),
        }
        for receiver, sources in receivers.items():
            for signal in sources:
                signal.connect(receiver, weak=False, dispatch_uid="rooms")
