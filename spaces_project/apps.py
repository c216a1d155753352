from django.apps import AppConfig


class SpacesProjectConfig(AppConfig):
    name = "spaces_project"
