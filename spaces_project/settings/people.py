"""Accounts and their email."""

from spaces_project import env
from spaces_project.settings.site import DEBUG, DEMO

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("handle", "display_name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "accounts.names.passwords.WordsOfTheSite"},
]
SIGNUP_MODE = env.choice(
    "SIGNUP_MODE",
    "open",
    "Who may make an account: all, those with a link of `manage.py invite_member`, or no one.",
    ("open", "invited", "closed"),
)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "handle"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"  # only confirmed addresses get mail (accounts/mail/notices.py)
ACCOUNT_PREVENT_ENUMERATION = "strict"  # no form tells whether an address is known
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_CHANGE_EMAIL = True  # one address; a new one replaces it when it is confirmed
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # the password again, unless it was given in the last five minutes
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "signup": "accounts.forms.SignupForm",
    "add_email": "accounts.mail.forms.AddressForm",
    "reset_password": "accounts.mail.forms.ResetForm",
}
ACCOUNT_PRESERVE_USERNAME_CASING = False  # handles are lower case; members may log in with any case
ACCOUNT_SESSION_REMEMBER = True
MFA_TOTP_ISSUER = "Spaces"
MFA_ADAPTER = "accounts.sessions.factor_secrets.FactorAdapter"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an address is optional
API_TOKEN_DAYS = env.integer(
    "API_TOKEN_DAYS", 90, "Days that an API token lasts unless its member chooses other ones.", least=1, most=365
)

# Mail: confirms addresses, resets passwords, tells of changes. Its links log in: no log of a real site shows them.
EMAIL_HOST = env.text("EMAIL_HOST", "", "SMTP server; empty: no email is sent.")
EMAIL_PORT = env.port("EMAIL_PORT", 587, "Port of the SMTP server.")
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "", "User name at the SMTP server.")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "", "Password at the SMTP server.", from_file=True)
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", True, "STARTTLS at the SMTP server.")
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "spaces@localhost", "Sender of email.")
EMAIL_TIMEOUT = 10  # seconds for each answer of the server
PASSWORD_RESET_TIMEOUT = 3600  # seconds; the message says so
_without_host = f"django.core.mail.backends.{'console' if DEMO or DEBUG else 'dummy'}"
EMAIL_BACKEND = f"{'accounts.mail.backend' if EMAIL_HOST else _without_host}.EmailBackend"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""  # allauth would write the header Host there

# Leaving
LEAVING_DAYS = env.integer(
    "LEAVING_DAYS", 14, "Days in which a member who has closed their account can come back. Then it is erased.", least=1
)
