"""What the API answers outside its views: over plain HTTP, and at addresses that are not there."""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from django.utils.translation import gettext as _

PREFIX = "/api/"


@sync_and_async_middleware
def middleware(get_response: Any) -> Callable[[HttpRequest], Any]:
    """Refuse the API over plain HTTP if the site has HTTPS, and answer 404 there in JSON.

    A redirect would hide from a client that it has just sent its token where everybody can read it.
    """

    async def later(request: HttpRequest) -> HttpResponseBase:
        return _plain(request) or _in_json(request, await get_response(request))

    def now(request: HttpRequest) -> HttpResponseBase:
        return _plain(request) or _in_json(request, get_response(request))

    return later if iscoroutinefunction(get_response) else now


def _plain(request: HttpRequest) -> HttpResponse | None:
    if not request.path.startswith(PREFIX) or not settings.SECURE_SSL_REDIRECT or request.is_secure():
        return None
    return _answer(403, "https_only", _("The API answers over HTTPS only. Replace a token that you sent without it."))


def _in_json(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    if request.path.startswith(PREFIX) and response.status_code == 404 and is_page:
        return _answer(404, "not_found", _("There is nothing at this address."))
    return response


def _answer(status: int, code: str, detail: str) -> JsonResponse:
    return JsonResponse({"code": code, "detail": detail}, status=status)
