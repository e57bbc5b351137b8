import { checkUsernameExists, getUserRepository, sendEmailMessage, validateEmail } from './addresses.ts'
import type { Auth } from './auth.ts'
import {
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
} from './own-account.ts'
import {
  changePassword,
  createPasswordResetToken,
  hashPassword,
  requestPasswordReset,
  resetPassword,
  verifyPassword,
  verifyPasswordResetToken,
} from './passwords.ts'
import { getSession } from './session.ts'
import {
  authenticateUser,
  loginUser,
  logoutUser,
  refreshToken,
  registerUser,
  replaceInitialPassword,
  statelessLogout,
} from './sign-in.ts'
import {
  createAccessToken,
  getCurrentUser,
  getJwtPayload,
  getLoggedInUser,
  getToken,
  getValidatedTokenPayload,
  introspectToken,
  validateToken,
} from './tokens.ts'

/** The operations that need an Auth. `auth.api` has each of them bound to its Auth. */
export const operations = {
  authenticateUser,
  changePassword,
  checkUsernameExists,
  confirmEmailChange,
  createAccessToken,
  createPasswordResetToken,
  deleteOwnAccount,
  exportOwnData,
  getCurrentUser,
  getJwtPayload,
  getLoggedInUser,
  getSession,
  getUserRepository,
  getValidatedTokenPayload,
  hashPassword,
  introspectToken,
  listSessions,
  loginUser,
  logoutUser,
  refreshToken,
  registerUser,
  replaceInitialPassword,
  requestEmailChange,
  requestPasswordReset,
  resendVerification,
  resetPassword,
  revokeSession,
  sendEmailMessage,
  undoEmailChange,
  undoSecurityChange,
  updateProfile,
  validateToken,
  verifyEmail,
  verifyPassword,
  verifyPasswordResetToken,
} as const

/** The operations that need only their arguments. `auth.api` has them unchanged. */
export const pureOperations = { getToken, statelessLogout, validateEmail } as const

type Bound<Operation> = Operation extends (auth: Auth, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never

/** All operations, without the Auth as their first argument. */
export type Api = {
  readonly [Name in keyof typeof operations]: Bound<(typeof operations)[Name]>
} & typeof pureOperations

/** Binds the operations to an Auth, which is looked up at each call. */
export function bindApi(auth: () => Auth): Api {
  const bound = Object.entries<(auth: Auth, ...rest: never[]) => unknown>(operations).map(
    ([name, operation]) => [name, (...rest: never[]) => operation(auth(), ...rest)] as const,
  )
  return { ...pureOperations, ...Object.fromEntries(bound) } as Api // one member for each row of the table
}
