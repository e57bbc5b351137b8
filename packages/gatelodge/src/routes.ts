import type { Accounts } from './domain/accounts.ts'
import { accountDataPages } from './flows/account-data/pages.ts'
import { accountDataRoutes } from './flows/account-data/routes.ts'
import { apiTokenPages } from './flows/api-tokens/pages.ts'
import { apiTokenRoutes } from './flows/api-tokens/routes.ts'
import { emailAccountPages, emailSection } from './flows/email-change/account-pages.ts'
import { emailChangePages } from './flows/email-change/pages.ts'
import { emailChangeRoutes } from './flows/email-change/routes.ts'
import { emailVerificationPages } from './flows/email-verification/pages.ts'
import { emailVerificationRoutes } from './flows/email-verification/routes.ts'
import { forwardAuthRoutes } from './flows/forward-auth/routes.ts'
import { mailboxRoutes } from './flows/mailbox/routes.ts'
import { passwordChangePages, passwordSection } from './flows/password-change/pages.ts'
import { passwordChangeRoutes } from './flows/password-change/routes.ts'
import { passwordResetPages } from './flows/password-reset/pages.ts'
import { passwordResetRoutes } from './flows/password-reset/routes.ts'
import { avatarPages } from './flows/profile/avatar-pages.ts'
import { avatarRoutes } from './flows/profile/avatar-routes.ts'
import { profilePages } from './flows/profile/pages.ts'
import { profileRoutes } from './flows/profile/routes.ts'
import { recoveryPages } from './flows/recovery/pages.ts'
import { recoveryRoutes } from './flows/recovery/routes.ts'
import { servicePages } from './flows/service/pages.ts'
import { serviceRoutes } from './flows/service/routes.ts'
import { sessionPages } from './flows/sessions/pages.ts'
import { sessionRoutes } from './flows/sessions/routes.ts'
import { newPasswordPages } from './flows/sign-in/new-password-page.ts'
import { signInPages } from './flows/sign-in/pages.ts'
import { reauthenticatePages } from './flows/sign-in/reauthenticate-page.ts'
import { signInRoutes } from './flows/sign-in/routes.ts'
import { signUpPages } from './flows/sign-up/pages.ts'
import { signUpRoutes } from './flows/sign-up/routes.ts'
import { tokenServiceRoutes } from './flows/token-service/routes.ts'
import type { Route } from './http/route.ts'

/** The route table of all flows and of administration. The server serves it, the API documents describe it, and the attack suite tests every row. */
export const routes: readonly Route[] = [
  ...signUpRoutes,
  ...emailVerificationRoutes,
  ...signInRoutes,
  ...sessionRoutes,
  ...passwordResetRoutes,
  ...passwordChangeRoutes,
  ...emailChangeRoutes,
  ...recoveryRoutes,
  ...profileRoutes,
  ...avatarRoutes,
  ...accountDataRoutes,
  ...apiTokenRoutes,
  ...tokenServiceRoutes,
  ...forwardAuthRoutes,
  ...serviceRoutes(() => routes),
  ...mailboxRoutes,
]

/** The pages for people, in the same format. The attack suite tests these too. */
export const pages: readonly Route[] = [
  ...servicePages,
  ...signInPages,
  ...newPasswordPages,
  ...passwordResetPages,
  ...signUpPages,
  ...emailVerificationPages,
  ...emailChangePages,
  ...recoveryPages,
  ...profilePages([emailSection, passwordSection]),
  ...avatarPages,
  ...emailAccountPages,
  ...passwordChangePages,
  ...sessionPages,
  ...apiTokenPages,
  ...accountDataPages,
  ...reauthenticatePages,
]

/** Returns the routes that are served. Where accounts live in a repository of the host program, pages are the host's own. */
export function servedRoutes({ isExternal }: Accounts): readonly Route[] {
  return isExternal ? routes.filter(({ ownAccountsOnly }) => !ownAccountsOnly) : [...routes, ...pages]
}
