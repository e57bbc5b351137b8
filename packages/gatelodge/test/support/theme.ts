import type { Theme } from '../../src/domain/theme.ts'

/** What pages look like where the operator set nothing but a name. */
export function plainTheme(serviceName: string): Theme {
  return { serviceName, sheet: null, logo: null, termsUrl: null, privacyUrl: null }
}
