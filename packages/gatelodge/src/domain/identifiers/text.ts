/** Whether a text is free of what no field shows: control characters, line separators, bidi overrides and isolates, lone surrogates. */
export function isPlainText(text: string): boolean {
  // Overrides and isolates let a name display as another one (Trojan Source, CVE-2021-42574); LRM and RLM are needed in honest text.
  return text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text)
}
