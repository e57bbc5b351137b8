/** A static file of the pages. `path` contains a hash of the content, so it may be cached forever. */
export interface Asset {
  readonly path: string
  readonly body: Uint8Array<ArrayBuffer>
  readonly gzipped: Uint8Array<ArrayBuffer>
  readonly contentType: string
}

/** The operator's additions to the pages. */
export interface Theme {
  readonly serviceName: string
  /** Loaded after our own style sheet. */
  readonly sheet: Asset | null
  /** Replaces our logo. */
  readonly logo: Asset | null
  readonly termsUrl: string | null
  readonly privacyUrl: string | null
}
