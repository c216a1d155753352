"""The schema of the API, generated once for each language in a process."""

from typing import Any

from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator

_made: dict[tuple[str | None, str | None], dict[str, Any]] = {}


class OnceGenerator(SchemaGenerator):
    """Generates the public schema, which is the same for all members, at the first request only."""

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        if not public:
            return self._generate(request, public)
        name = get_language(), self.api_version
        if name not in _made:
            _made[name] = self._generate(request, public)
        return _made[name]

    def _generate(self, request: Any, public: bool) -> dict[str, Any]:
        schema: dict[str, Any] = super().get_schema(request, public)
        return schema
