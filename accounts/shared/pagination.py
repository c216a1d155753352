"""Lists of the API in pages."""

from rest_framework.pagination import LimitOffsetPagination


class Pages(LimitOffsetPagination):
    """`?limit=&offset=`; whoever asks for more gets what one answer may hold."""

    default_limit = 50
    max_limit = 100
