import { linkPage } from '../../pages/link-page.ts'
import { languageOfReader, redirectAnswer } from '../../pages/page-context.ts'
import { undoSecurityChange } from './undo-security-change.ts'
import { recoveryWords } from './words/index.ts'

export const recoveryPages = linkPage({
  path: '/security/undo',
  summary: 'Report "this wasn\'t me" with the link in a security notice',
  purpose: 'security_undo',
  words: (language) => recoveryWords[language].pages.undo,
  wayOut: '/forgot-password',
  async submit(deps, context) {
    await undoSecurityChange(deps, context.actor, context.body)
    const words = recoveryWords[languageOfReader(context)].pages.undo
    return redirectAnswer(deps, context, '/login', words.done, [context.cookies.link.clear()])
  },
})
