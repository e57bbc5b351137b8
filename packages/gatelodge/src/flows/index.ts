import type { Route } from '../http/route.ts'
import { accountDataRoutes } from './account-data/routes.ts'
import { emailChangeRoutes } from './email-change/routes.ts'
import { emailVerificationRoutes } from './email-verification/routes.ts'
import { mailboxRoutes } from './mailbox/routes.ts'
import { passwordChangeRoutes } from './password-change/routes.ts'
import { passwordResetRoutes } from './password-reset/routes.ts'
import { profileRoutes } from './profile/routes.ts'
import { serviceRoutes } from './service/routes.ts'
import { sessionRoutes } from './sessions/routes.ts'
import { signInRoutes } from './sign-in/routes.ts'
import { signUpRoutes } from './sign-up/routes.ts'

/** The route table: what the server answers, the documents describe and the attack suite walks over. */
export const routes: readonly Route[] = [
  ...signUpRoutes,
  ...emailVerificationRoutes,
  ...signInRoutes,
  ...sessionRoutes,
  ...passwordResetRoutes,
  ...passwordChangeRoutes,
  ...emailChangeRoutes,
  ...profileRoutes,
  ...accountDataRoutes,
  ...serviceRoutes(() => routes),
  ...mailboxRoutes,
]
