from django.urls import URLPattern, path

from rooms import api, views

urlpatterns: list[URLPattern] = [
    path("", views.home, name="home"),
    path("search/", views.search, name="search"),
    path("spaces/new/", views.space_new, name="space_new"),
    path("spaces/<uuid:space>/", views.space, name="space"),
    path("fleet/", views.fleet_line, name="fleet"),
    path("api/spaces/", api.SpaceList.as_view(), name="api_spaces"),
    path("api/spaces/requests/", api.RequestList.as_view(), name="api_requests"),
    path("api/spaces/<uuid:space>/", api.space, name="api_space"),
]
