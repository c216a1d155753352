from importlib import import_module

from django.contrib.admin.apps import SimpleAdminConfig


class StaffConfig(SimpleAdminConfig):
    """The admin with our site. Only our apps register pages: those of libraries show secrets and leave no trace."""

    default_site = "spaces_project.staff.site.StaffSite"

    def ready(self) -> None:
        super().ready()
        from spaces_project.staff.site import OUR_APPS

        for app in OUR_APPS:
            import_module(f"{app}.admin")
