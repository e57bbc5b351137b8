import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import type { Random } from './random.ts'

/** What a key is for. A key of one purpose opens nothing of another. */
export type SealingPurpose =
  | 'signing-key'
  | 'mail'
  | 'device'
  | 'limit'
  | 'refresh'
  | 'form'
  | 'flash'
  | 'link'
  | 'ticket'
  | 'signup'

/** Seals and opens texts under keys derived from the one secret. */
export interface Keyring {
  /** AES-256-GCM under the purpose's key; `context` must be given again to open. */
  seal(purpose: SealingPurpose, plain: string, context: string): string
  /** The sealed text, or undefined when secret, purpose, context or text is not the one it was sealed with. */
  open(purpose: SealingPurpose, sealed: string, context: string): string | undefined
  /** HMAC-SHA-256 of a text under the purpose's key, base64url. */
  mac(purpose: SealingPurpose, text: string): string
}

/** A keyring whose keys come from `secret` by HKDF-SHA-256 (RFC 5869), one per purpose. */
export function createKeyring(secret: string, random: Random): Keyring {
  const keys = new Map<SealingPurpose, KeyObject>()

  function key(purpose: SealingPurpose): KeyObject {
    const known = keys.get(purpose)
    if (known) return known

    const made = createSecretKey(deriveKey(secret, purpose)) // made once: raw bytes are copied into a key by each use
    keys.set(purpose, made)
    return made
  }

  return {
    seal: (purpose, plain, context) => sealWith(key(purpose), random, plain, context),
    open: (purpose, sealed, context) => openWith(key(purpose), sealed, context),
    mac: (purpose, text) => createHmac('sha256', key(purpose)).update(text).digest('base64url'),
  }
}

/** A 256-bit key for one purpose, derived from a secret by HKDF-SHA-256 (RFC 5869). */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'gatelodge', purpose, 32))
}

/** AES-256-GCM with a random 96-bit nonce; the answer is base64url of nonce, tag and text. */
export function sealWith(key: Buffer | KeyObject, random: Random, plain: string, context: string): string {
  const nonce = random.bytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
  const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url')
}

/** What `sealWith` sealed, or undefined when key, context or text is another. */
export function openWith(key: Buffer | KeyObject, sealed: string, context: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url')
  if (bytes.length < 28) return undefined

  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(Buffer.from(context))
  decipher.setAuthTag(bytes.subarray(12, 28))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
  } catch {
    return undefined // GCM says only that it does not fit; the caller decides what that means
  }
}
