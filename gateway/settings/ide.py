"""The keys of `[ide]`: the page at `/`."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.http.ide import IdeConfiguration, Login, storefront_tabs


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class LoginSettings(_Table):
    """The provider that people log in with on the page (authorization code with PKCE)."""

    issuer: str | None = Field(
        default=None, description="Address of the OpenID provider; without it nobody logs in here."
    )
    client_id: str | None = Field(
        default=None, description="The page's public client there, with this page as redirect URI."
    )
    scopes: tuple[str, ...] = Field(
        default=("openid", "profile"), description="What a login asks for."
    )
    resource: str | None = Field(
        default=None, description="Name of this API where the provider wants one (RFC 8707)."
    )
    audience: str | None = Field(
        default=None, description="Name of this API where the provider calls it so."
    )

    @model_validator(mode="after")
    def _whole(self) -> "LoginSettings":
        if (self.issuer is None) is not (self.client_id is None):
            raise ValueError("`issuer` and `client_id` go together")
        self.login()
        return self

    def login(self) -> Login | None:
        if self.issuer is None or self.client_id is None:
            return None
        return Login(self.issuer, self.client_id, self.scopes, self.resource, self.audience)


class IdeSettings(_Table):
    """The query editor at `/`."""

    enabled: bool = Field(default=True, description="Serve the page.")
    login: LoginSettings = Field(
        default=LoginSettings(), description="How people log in on the page."
    )

    def page(self) -> IdeConfiguration:
        return IdeConfiguration(tabs=storefront_tabs({}), login=self.login.login())
