from typing import Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from rooms.signals import space_ended, space_started


class RecordingsConfig(AppConfig):
    name = "recordings"
    verbose_name = _("Recordings")

    def ready(self) -> None:
        space_started.connect(self._open)
        space_ended.connect(self._close)

    def _open(self, space: Any, **_kwargs: Any) -> None:
        self._recordings().open_for(space)

    def _close(self, space: Any, **_kwargs: Any) -> None:
        self._recordings().open_for(space).close()

    def _recordings(self) -> Any:
        return self.get_model("Recording")
