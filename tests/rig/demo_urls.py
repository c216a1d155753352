"""The addresses of the site as a demonstration has them."""

from django.urls import include, path

from spaces_project.urls import urlpatterns as of_the_site

urlpatterns = [path("", include("spaces_project.demo.urls")), *of_the_site]
