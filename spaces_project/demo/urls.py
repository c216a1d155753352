"""Addresses that only a demonstration has. They stand before those of the site."""

from django.urls import path

from spaces_project.demo import views

urlpatterns = [
    path("", views.welcome, name="demo_welcome"),
    path("demo/as/<slug:handle>/<str:token>/", views.enter, name="demo_enter"),
]
