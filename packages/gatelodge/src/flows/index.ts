import type { Route } from '../http/route.ts'
import { accountDataPages } from './account-data/pages.ts'
import { accountDataRoutes } from './account-data/routes.ts'
import { apiTokenPages } from './api-tokens/pages.ts'
import { apiTokenRoutes } from './api-tokens/routes.ts'
import { emailAccountPages, emailSection } from './email-change/account-pages.ts'
import { emailChangePages } from './email-change/pages.ts'
import { emailChangeRoutes } from './email-change/routes.ts'
import { emailVerificationPages } from './email-verification/pages.ts'
import { emailVerificationRoutes } from './email-verification/routes.ts'
import { forwardAuthRoutes } from './forward-auth/routes.ts'
import { mailboxRoutes } from './mailbox/routes.ts'
import { passwordChangePages, passwordSection } from './password-change/pages.ts'
import { passwordChangeRoutes } from './password-change/routes.ts'
import { passwordResetPages } from './password-reset/pages.ts'
import { passwordResetRoutes } from './password-reset/routes.ts'
import { avatarPages } from './profile/avatar-pages.ts'
import { avatarRoutes } from './profile/avatar-routes.ts'
import { profilePages } from './profile/pages.ts'
import { profileRoutes } from './profile/routes.ts'
import { recoveryPages } from './recovery/pages.ts'
import { recoveryRoutes } from './recovery/routes.ts'
import { servicePages } from './service/pages.ts'
import { serviceRoutes } from './service/routes.ts'
import { sessionPages } from './sessions/pages.ts'
import { sessionRoutes } from './sessions/routes.ts'
import { signInPages } from './sign-in/pages.ts'
import { reauthenticatePages } from './sign-in/reauthenticate-page.ts'
import { signInRoutes } from './sign-in/routes.ts'
import { signUpPages } from './sign-up/pages.ts'
import { signUpRoutes } from './sign-up/routes.ts'
import { tokenServiceRoutes } from './token-service/routes.ts'

/** The route table: what the server answers, the documents describe and the attack suite walks over. */
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

/** The pages for people, in the same shape; the attack suite walks over them as well. */
export const pages: readonly Route[] = [
  ...servicePages,
  ...signInPages,
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
