"""The sandbox's published credentials: they open nothing but the sandbox."""

AKENEO_CLIENT_ID = "1_sandbox"
AKENEO_CLIENT_SECRET = "sandbox-akeneo-secret"
AKENEO_USERNAME = "passerelle"
AKENEO_PASSWORD = "sandbox-akeneo-password"
ODOO_API_KEY = "sandbox-odoo-key"
ODOO_DATABASE = "sandbox"
HUBSPOT_TOKEN = "pat-sandbox-hubspot"
DHL_API_KEY = "sandbox-dhl-key"
UPS_CLIENT_ID = "sandbox-ups"
UPS_CLIENT_SECRET = "sandbox-ups-secret"

OAUTH_AUDIENCE = "https://api.passerelle.example"
"The `aud` of the access tokens of the sandbox's own authorization server."
OAUTH_IDE_ID = "ide"
"A public client: authorization code with PKCE, from any port of the loopback."
OAUTH_INTROSPECTION_ID = "introspection"
"The API that asks what an opaque token is worth."
OAUTH_SECRETS = {
    "storefront": "sandbox-storefront-secret",
    "storefront-opaque": "sandbox-storefront-opaque-secret",
    "storefront-tenant-2": "sandbox-storefront-tenant-2-secret",
    "storefront-tenant-3": "sandbox-storefront-tenant-3-secret",
    "partner": "sandbox-partner-secret",
    "back-office": "sandbox-back-office-secret",
    OAUTH_INTROSPECTION_ID: "sandbox-introspection-secret",
}
"The secrets of the confidential clients, by client id."
