/** Describes a browser and system, for session lists and notices: "Firefox on Linux". Only a hint, since the header can say anything. */
export function describeDevice(userAgent: string | null): string {
  const { browser, system } = readDevice(userAgent)
  if (browser && system) return `${browser} on ${system}`
  return browser ?? system ?? 'Unknown device'
}

/** Returns the names of the browser and the system that a user agent claims. */
export function readDevice(userAgent: string | null): {
  readonly browser: string | undefined
  readonly system: string | undefined
} {
  return {
    browser: browsers.find(([, pattern]) => pattern.test(userAgent ?? ''))?.[0],
    system: systems.find(([, pattern]) => pattern.test(userAgent ?? ''))?.[0],
  }
}

// Order matters: most browsers also name the ones they descend from.
const browsers = [
  ['Edge', /\bEdgA?\//],
  ['Opera', /\bOPR\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /\b(?:Chrome|CriOS)\//],
  ['Safari', /\bSafari\//],
  ['curl', /^curl\//],
] as const

const systems = [
  ['iPhone', /\biPhone\b/],
  ['iPad', /\biPad\b/],
  ['Android', /\bAndroid\b/],
  ['Windows', /\bWindows\b/],
  ['macOS', /\bMac OS X\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Linux', /\bLinux\b/],
] as const
