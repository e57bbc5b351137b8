import type { User } from '../users.ts'

/** How many background colours pages have for initials. */
export const initialsColours = 8

/** What stands in the place of a missing picture: one or two letters, and a colour that stays with the account. */
export interface Initials {
  readonly text: string
  /** From 0 up to, but without, `initialsColours`. */
  readonly colour: number
}

/** The initials of somebody: of first and last name, else of the username, else of the address. */
export function initialsOf(user: Pick<User, 'id' | 'firstName' | 'lastName' | 'username' | 'email'>): Initials {
  const names = [user.firstName, user.lastName].filter((name) => name !== '')
  const from = names.length > 0 ? names : [user.username ?? user.email]
  return {
    text: from.map(firstLetter).join(''),
    colour: Number.parseInt(user.id.slice(-4), 16) % initialsColours, // the end of an id is random
  }
}

const letters = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** As a reader counts letters: an accent or a joined sign is not cut off. */
function firstLetter(name: string): string {
  const [first] = letters.segment(name.trim())
  return (first?.segment ?? '').toUpperCase()
}
