// A real OpenID Connect provider, as strict as it comes: accounts are whoever types a name. Shared by the
// tests of the server and those in browsers.

import { Provider } from "oidc-provider";

/** The provider of an issuer, for one client that comes back to `returnTo`. */
export function provider(issuer, returnTo, clientId = "jam", clientSecret = "s3cret of the tests") {
  return new Provider(issuer, {
    clients: [{
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uris: [returnTo],
      grant_types: ["authorization_code", "refresh_token"],
    }],
    cookies: { keys: ["tests"] },
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    // Otherwise the address is told to whoever asks once more, with another token.
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: { revocation: { enabled: true } },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.org`, email_verified: !id.startsWith("unverified") }),
    }),
  });
}
