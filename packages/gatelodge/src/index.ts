export type { AccessTokenClaims } from './domain/access-tokens.ts'
export type { Session } from './domain/sessions.ts'
export type { Profile, User } from './domain/users.ts'
export type { OwnData } from './flows/account-data/own-data.ts'
export type { Clock, Instant } from './kernel/clock.ts'
export {
  AuthError,
  type AuthErrorOptions,
  AuthServiceUnavailable,
  type ErrorCode,
  type FieldFault,
  InvalidAuthorizationHeader,
  InvalidCredentialsError,
  InvalidToken,
  isAuthError,
  MissingFieldError,
  NoAuthUserError,
  NotAuthenticated,
  PasswordChangeRequiredError,
  SessionValidationError,
  TokenError,
  UserAlreadyExistsError,
  UserNotFound,
} from './kernel/errors.ts'
export type { Log, LogFields } from './kernel/log.ts'
export { version } from './kernel/version.ts'
export { type NodeHandler, toNodeHandler } from './library/adapters/node.ts'
export { checkUsernameExists, getUserRepository, sendEmailMessage, validateEmail } from './library/addresses.ts'
export type { Api } from './library/api.ts'
export { type Auth, type AuthOptions, createAuth } from './library/auth.ts'
export type { Caller } from './library/engine.ts'
export type {
  EmailMessage,
  LoginRequest,
  RegisterRequest,
  ReplaceInitialPasswordRequest,
  UpdateProfileRequest,
} from './library/input.ts'
export {
  confirmEmailChange,
  deleteOwnAccount,
  exportOwnData,
  listSessions,
  requestEmailChange,
  resendVerification,
  revokeSession,
  undoEmailChange,
  undoSecurityChange,
  updateProfile,
  verifyEmail,
} from './library/own-account.ts'
export {
  changePassword,
  createPasswordResetToken,
  hashPassword,
  requestPasswordReset,
  resetPassword,
  verifyPassword,
  verifyPasswordResetToken,
} from './library/passwords.ts'
export type { PublicUser } from './library/public-user.ts'
export { type CallerSession, getSession, type SessionSource } from './library/session.ts'
export type { AuthSettings } from './library/settings.ts'
export {
  authenticateUser,
  type LoginResponse,
  loginUser,
  logoutUser,
  type RegisterResponse,
  refreshToken,
  registerUser,
  replaceInitialPassword,
  statelessLogout,
  type TokenPair,
} from './library/sign-in.ts'
export {
  createAccessToken,
  getCurrentUser,
  getJwtPayload,
  getLoggedInUser,
  getToken,
  getValidatedTokenPayload,
  type Introspection,
  introspectToken,
  type TokenPayload,
  type ValidatedToken,
  validateToken,
} from './library/tokens.ts'
export type { NewRepositoryUser, RepositoryUser, UserRepository } from './library/user-repository.ts'
