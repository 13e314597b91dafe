"""How people prove who they are: passwords, passkeys, and an OpenID provider."""
