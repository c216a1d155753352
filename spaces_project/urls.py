"""The addresses of the site, by app."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.i18n import JavaScriptCatalog
from drf_spectacular.views import SpectacularAPIView

from spaces_project.health import health
from spaces_project.metrics import metrics

DEMO = [path("", include("spaces_project.demo.urls"))] if settings.DEMO and settings.DEMO_LINK_SECRET else []

urlpatterns = [
    *DEMO,
    path("accounts/", include("accounts.mail.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("jsi18n/", JavaScriptCatalog.as_view(packages=["rooms"]), name="javascript-catalog"),
    path("api/schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("", include("accounts.urls")),
    path("", include("rooms.urls")),
    path("", include("moderation.urls")),
    path("health", health, name="health"),
    path("metrics", metrics, name="metrics"),
]
