/** Returns whether a text is free of control characters, line separators, bidi overrides and isolates, and lone surrogates, none of which a field displays. */
export function isPlainText(text: string): boolean {
  // Overrides and isolates can make one name display as another (Trojan Source, CVE-2021-42574); LRM and RLM are needed in legitimate text.
  return text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text)
}
