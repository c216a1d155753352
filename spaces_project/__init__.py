from spaces_project.celery import app as celery_app
from spaces_project.version import __version__

__all__ = ["__version__", "celery_app"]
