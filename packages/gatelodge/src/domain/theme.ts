/** A static file of the pages; `path` holds a hash of the content, so it may be cached for ever. */
export interface Asset {
  readonly path: string
  readonly body: Uint8Array<ArrayBuffer>
  readonly gzipped: Uint8Array<ArrayBuffer>
  readonly contentType: string
}

/** What the operator put on the pages. */
export interface Theme {
  readonly serviceName: string
  /** Comes after our own style sheet. */
  readonly sheet: Asset | null
  /** In place of our mark. */
  readonly logo: Asset | null
  readonly termsUrl: string | null
  readonly privacyUrl: string | null
}
