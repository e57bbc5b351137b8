import type { Theme } from '../../src/domain/theme.ts'

/** Returns the theme if the operator has set nothing but a name. */
export function plainTheme(serviceName: string): Theme {
  return { serviceName, sheet: null, logo: null, termsUrl: null, privacyUrl: null }
}
