/** Colours of text, lines and backgrounds, named like their CSS properties. */
export interface Palette {
  readonly page: string
  readonly surface: string
  readonly sunken: string
  readonly line: string
  readonly text: string
  readonly muted: string
  readonly accent: string
  readonly 'accent-strong': string
  readonly 'on-accent': string
  readonly danger: string
  readonly 'field-line': string
  readonly get: string
  readonly post: string
  readonly put: string
  readonly delete: string
}

export type Scheme = 'light' | 'dark'

/** Every colour of pages and emails, as `#rrggbb`. */
export const palettes: Readonly<Record<Scheme, Palette>> = {
  light: {
    page: '#f3f5f4',
    surface: '#ffffff',
    sunken: '#eef2f0',
    line: '#d5dcd9',
    text: '#1d2523',
    muted: '#55615d',
    accent: '#1b6b58',
    'accent-strong': '#124c3e',
    'on-accent': '#ffffff',
    danger: '#b3261e',
    'field-line': '#7b8984',
    get: '#14618f',
    post: '#1b6b58',
    put: '#8a5200',
    delete: '#b3261e',
  },
  dark: {
    page: '#121716',
    surface: '#1b2220',
    sunken: '#151b19',
    line: '#35403c',
    text: '#e6ecea',
    muted: '#a3b0ac',
    accent: '#6fd3b5',
    'accent-strong': '#9be5cd',
    'on-accent': '#0c1a16',
    danger: '#ff9a91',
    'field-line': '#6d7a76',
    get: '#84c5f0',
    post: '#6fd3b5',
    put: '#f0b866',
    delete: '#ff9a91',
  },
}

/** The minimum contrast of text (WCAG 2.2, 1.4.3). */
const readable = 4.5

/** Returns a palette with the operator's accent colour, mixed with as little black or white as it takes to be readable on every background. */
export function withAccent(palette: Palette, scheme: Scheme, accent: string): Palette {
  const end = scheme === 'light' ? '#000000' : '#ffffff'
  const grounds = [palette.page, palette.surface, palette.sunken, palette['on-accent']]
  const isReadable = (color: string) => grounds.every((ground) => contrast(color, ground) >= readable)
  const shades = Array.from({ length: 51 }, (_, step) => mixed(accent, end, step / 50))
  const found = shades.find(isReadable) ?? end
  return { ...palette, accent: found, 'accent-strong': mixed(found, end, 0.3) }
}

/** Returns the colours of a scheme, with the operator's accent if there is one. */
export function paletteOf(scheme: Scheme, accent: string | null): Palette {
  return accent === null ? palettes[scheme] : withAccent(palettes[scheme], scheme, accent)
}

/** Returns the CSS that sets the named colours in both schemes. */
export function colorRules(accent: string | null, names = Object.keys(palettes.light) as (keyof Palette)[]): string {
  const rules = (scheme: Scheme) => {
    const palette = paletteOf(scheme, accent)
    return `:root{${names.map((name) => `--${name}:${palette[name]};`).join('')}}`
  }
  return `${rules('light')}\n@media (prefers-color-scheme:dark){${rules('dark')}}\n`
}

/** Returns the contrast ratio of two colours, from 1 to 21 (WCAG 2.2). */
export function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (lighter + 0.05) / (darker + 0.05)
}

// WCAG 2.2, relative luminance.
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = partsOf(color).map((part) => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function mixed(color: string, other: string, share: number): string {
  const others = partsOf(other)
  const parts = partsOf(color).map((part, index) => Math.round(part + ((others[index] ?? 0) - part) * share))
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}

function partsOf(color: string): number[] {
  return [1, 3, 5].map((index) => Number.parseInt(color.slice(index, index + 2), 16))
}
