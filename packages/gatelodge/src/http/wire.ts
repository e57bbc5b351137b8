import { z } from 'zod'
import type { ApiToken } from '../domain/api-tokens.ts'
import { isPlainText } from '../domain/identifiers/text.ts'
import type { Session } from '../domain/sessions.ts'
import type { User } from '../domain/users.ts'
import { toIso } from '../kernel/clock.ts'

/** Creates a text field without control, bidi-override or lone-surrogate characters. Length in UTF-16 units, so that the schema documents what is checked. */
export function textField(max: number, min = 0) {
  return z
    .string()
    .min(min)
    .max(max)
    .refine(isPlainText, { params: { code: 'characters' }, error: 'Control and invisible characters are not allowed' })
}

/**
 * A password as sent; the password policy has rules of its own. NUL and lone surrogates are rejected, because hashing would truncate at them or replace them.
 */
export const passwordField = z
  .string()
  .min(1)
  .max(4096)
  .refine((text) => text.isWellFormed() && !text.includes('\0'), {
    params: { code: 'characters' },
    error: 'NUL and incomplete characters are not allowed',
  })
/** An email address as sent; it is normalised before use. */
export const emailField = textField(254, 1)
/** A token from a link. */
export const tokenField = textField(256, 1)
export const nameField = textField(150)
export const usernameField = textField(150, 1)

/** An instant as it appears in responses. */
export const instantField = z.iso.datetime()

export const userSchema = z
  .strictObject({
    id: z.string(),
    email: z.string(),
    email_verified: z.boolean(),
    username: z.string().nullable(),
    first_name: z.string(),
    last_name: z.string(),
    fullname: z.string(),
    avatar_url: z.string().nullable(),
    is_active: z.boolean(),
    is_staff: z.boolean(),
    roles: z.array(z.string()),
    created_at: instantField,
    last_login_at: instantField.nullable(),
    profile: z.strictObject({
      phone_number: z.string().nullable(),
      website: z.string().nullable(),
      github_link: z.string().nullable(),
      birth_date: z.string().nullable(),
      locale: z.string().nullable(),
    }),
  })
  .meta({ id: 'User' })

export const sessionSchema = z
  .strictObject({
    id: z.string(),
    current: z.boolean(),
    created_at: instantField,
    last_seen_at: instantField,
    expires_at: instantField,
    ip: z.string().nullable(),
    user_agent: z.string().nullable(),
    device: z.string(),
    methods: z.array(z.string()),
    assurance: z.enum(['aal1', 'aal2']),
  })
  .meta({ id: 'Session' })

export const tokenResponseSchema = z
  .strictObject({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int(),
    refresh_token: z.string(),
    session_id: z.string(),
    user: userSchema,
  })
  .meta({ id: 'TokenResponse' })

export const apiTokenSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.string()),
    created_at: instantField,
    expires_at: instantField,
    last_used_at: instantField.nullable(),
  })
  .meta({ id: 'ApiToken' })

export const messageSchema = z.strictObject({ message: z.string() }).meta({ id: 'Message' })

/** Returns the wire form of a user. */
export function userToWire(user: User): z.infer<typeof userSchema> {
  return {
    id: user.id,
    email: user.email,
    email_verified: user.emailVerified,
    username: user.username,
    first_name: user.firstName,
    last_name: user.lastName,
    fullname: user.fullname,
    avatar_url: user.avatarUrl,
    is_active: user.isActive,
    is_staff: user.isStaff,
    roles: [...user.roles],
    created_at: toIso(user.createdAt),
    last_login_at: user.lastLoginAt === null ? null : toIso(user.lastLoginAt),
    profile: {
      phone_number: user.profile.phoneNumber,
      website: user.profile.website,
      github_link: user.profile.githubLink,
      birth_date: user.profile.birthDate,
      locale: user.profile.locale,
    },
  }
}

/** Returns the wire form of a session. `current` is the id of the session that makes the request. */
export function sessionToWire(session: Session, current: string | null): z.infer<typeof sessionSchema> {
  return {
    id: session.id,
    current: session.id === current,
    created_at: toIso(session.createdAt),
    last_seen_at: toIso(session.lastSeenAt),
    expires_at: toIso(session.expiresAt),
    ip: session.ip,
    user_agent: session.userAgent,
    device: session.device,
    methods: [...session.methods],
    assurance: session.assurance,
  }
}

/** Returns the wire form of an API token. */
export function apiTokenToWire(token: ApiToken): z.infer<typeof apiTokenSchema> {
  return {
    id: token.id,
    name: token.name,
    scopes: [...token.scopes],
    created_at: toIso(token.createdAt),
    expires_at: toIso(token.expiresAt),
    last_used_at: token.lastUsedAt === null ? null : toIso(token.lastUsedAt),
  }
}
