from django.urls import path

from accounts.mail import views

urlpatterns = [
    path("email/", views.email, name="account_email"),
    path("password/reset/", views.reset_password, name="account_reset_password"),
]
