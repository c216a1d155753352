"""Pages of the API's lists."""

from rest_framework.pagination import LimitOffsetPagination


class Pages(LimitOffsetPagination):
    """`?limit=&offset=`. A larger limit is cut to `max_limit`."""

    default_limit = 50
    max_limit = 100
