import { linkPage } from '../../pages/link-page.ts'
import { languageOfReader, redirectAnswer } from '../../pages/page-context.ts'
import { confirmEmailChange, undoEmailChange } from './confirm-change.ts'
import { emailChangeWords } from './words/index.ts'

export const emailChangePages = [
  ...linkPage({
    path: '/change-email',
    summary: 'Confirm a new email address with its mailed link',
    purpose: 'email_change',
    words: (language) => emailChangeWords[language].pages.confirm,
    wayOut: '/account',
    async submit(deps, context) {
      const user = await confirmEmailChange(deps, context.actor, context.body)
      const words = emailChangeWords[languageOfReader(context)].pages.confirm
      const spent = [context.cookies.link.clear()]
      return context.me?.user.id === user.id
        ? redirectAnswer(deps, context, '/account', words.doneSignedIn, spent)
        : redirectAnswer(deps, context, '/login', words.done, spent)
    },
  }),

  ...linkPage({
    path: '/change-email/undo',
    summary: 'Restore the previous email address',
    purpose: 'email_change_undo',
    words: (language) => emailChangeWords[language].pages.undo,
    wayOut: '/login',
    async submit(deps, context) {
      await undoEmailChange(deps, context.actor, context.body)
      const words = emailChangeWords[languageOfReader(context)].pages.undo
      return redirectAnswer(deps, context, '/login', words.done, [context.cookies.link.clear()])
    },
  }),
]
