"""The storage of recordings, for Django's `STORAGES`: a folder of this machine, or a bucket."""

from pathlib import Path
from typing import Any


def folder(location: Path) -> dict[str, Any]:
    """A folder that only the user of Spaces can enter."""
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": location,
            "base_url": None,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    }


def bucket(name: str, endpoint: str, region: str, access_key: str, secret_key: str) -> dict[str, Any]:
    """A bucket of an S3 service. Empty arguments leave the choice to the environment of the machine."""
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": name,
            "endpoint_url": endpoint or None,
            "region_name": region or None,
            "access_key": access_key or None,
            "secret_key": secret_key or None,
            "default_acl": None,  # the bucket itself is private; sound leaves only through the app
            "file_overwrite": True,  # a chunk shipped twice is the same chunk
        },
    }
