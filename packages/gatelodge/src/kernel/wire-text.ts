/**
 * Removes the optional whitespace of HTTP around a header's text: SP and HTAB, and nothing else (RFC 9110, section 5.6.3). `String.trim` also removes 0xA0
 * and similar characters, which browsers treat as part of a name: a sibling domain could set a cookie whose name becomes that of our cookie.
 */
export function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}
