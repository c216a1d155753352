"""How the API refuses: always with `{"code": ..., "detail": ...}`, in its answers and in its schema."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from redis.exceptions import RedisError
from rest_framework import serializers
from rest_framework.exceptions import (
    APIException,
    ErrorDetail,
    NotFound,
    PermissionDenied,
    Throttled,
)
from rest_framework.response import Response
from rest_framework.views import exception_handler

from accounts.shared.refusals import RefusedWith


class RefusalSerializer(serializers.Serializer[object]):
    """Every refusal of the API."""

    code = serializers.CharField(help_text="The reason, as a code for programs.")
    detail = serializers.CharField(help_text="The reason as a sentence, in the language of the request.")


class Unavailable(APIException):
    """The counts of the throttles cannot be read. Without them nothing is answered: it would have no budget."""

    status_code = 503
    default_code = "unavailable"
    default_detail = _("The server cannot answer at the moment. Try again in a moment.")


class TooOften(APIException):
    """A refusal that names a time to wait, with a sentence of its own."""

    status_code = 429

    def __init__(self, refusal: RefusedWith[Any]) -> None:
        super().__init__(refusal.text, refusal.reason)
        self.wait = refusal.retry_after


def refused(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an error that a view of the API raised; None for a fault of ours, which becomes a 500."""
    if not getattr(context["request"], "counted", False):
        error = _counted(error, context)
    error = _as_api_exception(error)
    response = exception_handler(error, context)
    if response is not None and isinstance(error, APIException):
        response.data = {"code": error.get_codes(), "detail": error.detail}
    return response


def _counted(error: Exception, context: dict[str, Any]) -> Exception:
    """Count what was refused before Django REST framework asked the throttles, which it does last.

    These are requests of strangers, requests of a session without its CSRF token, and unknown formats.
    """
    request = context["request"]
    try:
        request.user  # noqa: B018 (no member, if this fails)
    except APIException as stranger:
        error = stranger
    try:
        context["view"].check_throttles(request)
    except (Throttled, RedisError) as uncounted:
        return uncounted
    return error


def _as_api_exception(error: Exception) -> Exception:
    if isinstance(error, RefusedWith):
        return TooOften(error) if error.retry_after else PermissionDenied(error.text, error.reason)
    if isinstance(error, RedisError):
        return Unavailable()
    if isinstance(error, Http404):
        return NotFound()  # Django's own text names the class of the row
    wait = getattr(error, "wait", None)
    if isinstance(error, Throttled) and wait is not None:
        error.detail = ErrorDetail(_wait(wait), error.default_code)
    return error


def _wait(seconds: int) -> str:
    text = ngettext(
        "Too many requests. Try again in %(seconds)s second.",
        "Too many requests. Try again in %(seconds)s seconds.",
        seconds,
    )
    return text % {"seconds": seconds}


def documented(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: every operation may answer 401 and 429, and 404 if its path names something."""
    refusal = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    for path, operations in result["paths"].items():
        answers = {"401": "Not logged in.", "429": "Too many requests; `Retry-After` says how many seconds to wait."}
        if "{" in path:
            answers["404"] = "Not found, or not visible to you."
        for operation in operations.values():
            for status, description in answers.items():
                operation["responses"].setdefault(status, {"description": description, "content": refusal})
    return result
