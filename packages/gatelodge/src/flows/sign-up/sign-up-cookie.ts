import type { Deps } from '../../domain/deps.ts'
import type { CookieJar } from '../../http/cookies.ts'
import type { SignUpResult } from './sign-up.ts'

/** Returns the Set-Cookie value by which this browser may confirm its sign-up without the password, if there is something to confirm. */
export function signUpCookies({ config }: Deps, cookies: CookieJar, { signUpCookie: text }: SignUpResult): string[] {
  return text === null ? [] : [cookies.signUp.set(text, config.verifyTtl / 1000)]
}
