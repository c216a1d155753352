"""Every address of the site, by app."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("rooms.urls")),
    path("", include("recordings.urls")),
    path("", include("moderation.urls")),
    path("", include("spaces_project.health_urls")),
]
