import { z } from 'zod'

export const metadataSchema = z
  .strictObject({
    issuer: z.string(),
    token_endpoint: z.string(),
    introspection_endpoint: z.string(),
    revocation_endpoint: z.string(),
    jwks_uri: z.string(),
    grant_types_supported: z.array(z.string()),
    response_types_supported: z.array(z.string()),
    token_endpoint_auth_methods_supported: z.array(z.string()),
    introspection_endpoint_auth_methods_supported: z.array(z.string()),
    revocation_endpoint_auth_methods_supported: z.array(z.string()),
    service_documentation: z.string(),
  })
  .meta({ id: 'AuthorizationServerMetadata' })

const clientAuthentication = ['client_secret_basic', 'client_secret_post']

/** Returns the metadata of the authorization server (RFC 8414, section 2). The issuer is the public URL, character for character. */
export function metadata(publicUrl: string): z.infer<typeof metadataSchema> {
  return {
    issuer: publicUrl,
    token_endpoint: `${publicUrl}/oauth2/token`,
    introspection_endpoint: `${publicUrl}/oauth2/introspect`,
    revocation_endpoint: `${publicUrl}/oauth2/revoke`,
    jwks_uri: `${publicUrl}/.well-known/jwks.json`,
    grant_types_supported: ['client_credentials'],
    response_types_supported: [], // there is no authorization endpoint, but the member is required
    token_endpoint_auth_methods_supported: clientAuthentication,
    introspection_endpoint_auth_methods_supported: clientAuthentication,
    revocation_endpoint_auth_methods_supported: [...clientAuthentication, 'none'],
    service_documentation: `${publicUrl}/docs`,
  }
}
