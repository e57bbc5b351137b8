import { z } from 'zod'
import { parseInput } from '../http/body.ts'
import { emailField, nameField, passwordField, textField, tokenField, usernameField } from '../http/wire.ts'

const names = {
  firstName: nameField.optional(),
  lastName: nameField.optional(),
  fullname: nameField.optional(),
}
const profileField = textField(200).nullable().optional()

export const registerSchema = z.strictObject({
  email: emailField,
  password: passwordField,
  username: usernameField.optional(),
  ...names,
})
export const newUserSchema = registerSchema.omit({ fullname: true })
export const loginSchema = z.strictObject({
  identifier: textField(254, 1).optional(),
  email: emailField.optional(),
  username: usernameField.optional(),
  password: passwordField,
})
export const addressSchema = z.strictObject({ email: emailField })
export const linkSchema = z.strictObject({ token: tokenField })
export const verifyEmailSchema = z.strictObject({
  token: tokenField,
  password: passwordField.optional(),
  signUpToken: tokenField.optional(),
})
export const resetPasswordSchema = z.strictObject({ token: tokenField, newPassword: passwordField })
export const replaceInitialPasswordSchema = z.strictObject({ changeToken: tokenField, newPassword: passwordField })
export const changePasswordSchema = z.strictObject({ oldPassword: passwordField, newPassword: passwordField })
export const changeEmailSchema = z.strictObject({ newEmail: emailField, password: passwordField })
export const updateProfileSchema = z.strictObject({
  ...names,
  username: usernameField.nullable().optional(),
  profile: z
    .strictObject({
      phoneNumber: profileField,
      website: profileField,
      githubLink: profileField,
      birthDate: profileField,
      locale: profileField,
    })
    .optional(),
})
export const sessionIdSchema = z.strictObject({ id: z.string().max(256) })
export const deleteAccountSchema = z.strictObject({ password: passwordField.optional() })
export const accessTokenSchema = z.strictObject({ sub: z.string(), sid: z.string().optional() })
export const messageSchema = z.strictObject({
  to: emailField,
  subject: textField(200, 1),
  text: z.string().min(1).max(100_000),
  html: z.string().min(1).max(500_000),
})

export type RegisterRequest = z.input<typeof registerSchema>
export type LoginRequest = z.input<typeof loginSchema>
export type ReplaceInitialPasswordRequest = z.input<typeof replaceInitialPasswordSchema>
export type UpdateProfileRequest = z.input<typeof updateProfileSchema>
export type EmailMessage = z.input<typeof messageSchema>

/** Validates input as the HTTP API does, because callers may not be type-checked. @throws input_invalid with one fault per field */
export const readInput = parseInput
