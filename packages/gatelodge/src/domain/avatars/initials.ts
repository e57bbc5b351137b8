import type { User } from '../users.ts'

/** The number of background colours that pages have for initials. */
export const initialsColours = 8

/** What is shown if there is no picture: one or two letters, and a colour that never changes for an account. */
export interface Initials {
  readonly text: string
  /** At least 0 and less than `initialsColours`. */
  readonly colour: number
}

/** Returns a user's initials: from first and last name, otherwise from the username, otherwise from the address. */
export function initialsOf(user: Pick<User, 'id' | 'firstName' | 'lastName' | 'username' | 'email'>): Initials {
  const names = [user.firstName, user.lastName].filter((name) => name !== '')
  const from = names.length > 0 ? names : [user.username ?? user.email]
  return {
    text: from.map(firstLetter).join(''),
    colour: Number.parseInt(user.id.slice(-4), 16) % initialsColours, // the end of an id is random
  }
}

const letters = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Returns the first letter as a reader counts letters: accents and joined characters are not cut off. */
function firstLetter(name: string): string {
  const [first] = letters.segment(name.trim())
  return (first?.segment ?? '').toUpperCase()
}
