from django.urls import path
from django.views.i18n import set_language

from accounts import api, views
from accounts.exporting import pages as exporting
from accounts.leaving import pages as leaving
from accounts.sessions import pages as session_pages
from accounts.tokens import pages as token_pages

urlpatterns = [
    path("people/<slug:handle>/", views.person, name="person"),
    path("people/<slug:handle>/follow/", views.follow, name="follow"),
    path("people/<slug:handle>/unfollow/", views.unfollow, name="unfollow"),
    path("people/<slug:handle>/block/", views.block, name="block"),
    path("people/<slug:handle>/unblock/", views.unblock, name="unblock"),
    path("people/<slug:handle>/approve/", views.approve, name="approve"),
    path("people/<slug:handle>/decline/", views.decline, name="decline"),
    path("people/<slug:handle>/remove/", views.remove_follower, name="remove_follower"),
    path("me/profile/", views.profile_edit, name="profile_edit"),
    path("me/followers/", views.followers, name="followers"),
    path("me/following/", views.following, name="following"),
    path("me/blocked/", views.blocked, name="blocked"),
    path("me/sessions/", session_pages.sessions, name="sessions"),
    path("me/sessions/end/", session_pages.sessions_end, name="sessions_end"),
    path("me/sessions/<int:session>/end/", session_pages.session_end, name="session_end"),
    path("me/tokens/", token_pages.tokens, name="tokens"),
    path("me/tokens/new/", token_pages.token_new, name="token_new"),
    path("me/tokens/<int:token>/revoke/", token_pages.token_revoke, name="token_revoke"),
    path("me/export/", exporting.export, name="export"),
    path("me/export/<uuid:export>.zip", exporting.export_file, name="export_file"),
    path("me/leaving/", leaving.leaving, name="leaving"),
    path("me/coming-back/", leaving.come_back, name="come_back"),
    path("uploads/avatars/<slug:name>.webp", views.avatar, name="avatar"),
    path("language/", set_language, name="set_language"),
    path("api/people/<slug:handle>/", api.person, name="api_person"),
    path("api/people/<slug:handle>/follow/", api.follow, name="api_follow"),
]
