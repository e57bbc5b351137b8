/** What stands for a secret wherever settings are printed. */
export const mask = '********'

/** Returns a text whose password, if it is a URL that has one, is masked. A user name that equals the password, as some mail services give it, is masked too. */
export function withoutPassword(text: string): string {
  const url = /^[a-z]+:\/\//i.test(text) ? URL.parse(text) : null
  if (!url) return text
  if (url.password === '') return text

  if (url.username === url.password) url.username = mask
  url.password = mask
  return url.href
}
