import { readFileSync, statSync } from 'node:fs'
import type { Config } from '../config.ts'
import type { Asset, Theme } from '../domain/theme.ts'
import { AuthError } from '../kernel/errors.ts'
import { assetOf } from './assets.ts'
import { colorRules } from './palette.ts'

type ThemeConfig = Pick<Config, 'serviceName' | 'accent' | 'themeCss' | 'logo' | 'termsUrl' | 'privacyUrl'>

/** The most bytes of a theme file. A larger one would slow down every sign-in. */
const largest = 64 * 1024

/** Reads the files that the theme settings name. @throws config_invalid for a missing or unsuitable file */
export function loadTheme({ serviceName, accent, themeCss, logo, termsUrl, privacyUrl }: ThemeConfig): Theme {
  const css = [
    ...(accent === null ? [] : [colorRules(accent, ['accent', 'accent-strong'])]),
    ...(themeCss === null ? [] : [readCss(themeCss)]),
  ].join('')
  return {
    serviceName,
    sheet: css === '' ? null : assetOf('theme.css', 'text/css; charset=utf-8', Buffer.from(css)),
    logo: logo === null ? null : readLogo(logo),
    termsUrl,
    privacyUrl,
  }
}

function readCss(path: string): string {
  const css = textOf(read('GATELODGE_THEME_CSS', path))
  if (css === undefined) throw fault('GATELODGE_THEME_CSS', 'must be a text file in UTF-8')
  // The CSP would block these too, but the page would lack them without any message.
  const code = css.replaceAll(/\/\*.*?\*\//gs, '')
  const targets = [...code.matchAll(/url\(\s*["']?([^"'\s)]*)/gi)].map(([, target = '']) => target)
  if (/@import/i.test(code) || !targets.every((target) => /^(?:data:|#)/i.test(target)))
    throw fault('GATELODGE_THEME_CSS', 'must not load anything: no @import, and no url() except data: and #')
  return css
}

/** Reads the logo and determines its type from its content, so that nothing else is ever served as a picture. */
function readLogo(path: string): Asset {
  const bytes = read('GATELODGE_LOGO', path)
  if (bytes.subarray(0, 8).equals(pngSignature)) return assetOf('logo.png', 'image/png', bytes)
  if (/^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<svg[\s>]/s.test(textOf(bytes) ?? ''))
    return assetOf('logo.svg', 'image/svg+xml', bytes)
  throw fault('GATELODGE_LOGO', 'must be an SVG or PNG file')
}

const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

function read(field: string, path: string): Buffer<ArrayBuffer> {
  try {
    if (statSync(path).size <= largest) return readFileSync(path)
  } catch (cause) {
    throw fault(field, 'names a file that cannot be read', cause)
  }
  throw fault(field, `must be a file of at most ${largest / 1024} KiB`)
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function fault(field: string, message: string, cause?: unknown): AuthError {
  return new AuthError('config_invalid', { faults: [{ field, code: 'invalid', message }], cause })
}
