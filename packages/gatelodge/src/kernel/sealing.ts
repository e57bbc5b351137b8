import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import type { Random } from './random.ts'

/** The purpose of a key. A key for one purpose cannot open data sealed for another. */
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

/** Encrypts and decrypts texts with keys derived from the secret of the installation. */
export interface Keyring {
  /** Encrypts a text with AES-256-GCM under the key of the purpose. `open` needs the same `context`. */
  seal(purpose: SealingPurpose, plain: string, context: string): string
  /** Decrypts a text. Returns undefined if the secret, the purpose, the context or the text differs from what was sealed. */
  open(purpose: SealingPurpose, sealed: string, context: string): string | undefined
  /** Returns the HMAC-SHA-256 of a text under the key of the purpose, base64url. */
  mac(purpose: SealingPurpose, text: string): string
}

/** Creates a keyring that derives one key per purpose from `secret` with HKDF-SHA-256 (RFC 5869). */
export function createKeyring(secret: string, random: Random): Keyring {
  const keys = new Map<SealingPurpose, KeyObject>()

  function key(purpose: SealingPurpose): KeyObject {
    const known = keys.get(purpose)
    if (known) return known

    const made = createSecretKey(deriveKey(secret, purpose)) // created once, since raw bytes would be copied into a key on each use
    keys.set(purpose, made)
    return made
  }

  return {
    seal: (purpose, plain, context) => sealWith(key(purpose), random, plain, context),
    open: (purpose, sealed, context) => openWith(key(purpose), sealed, context),
    mac: (purpose, text) => createHmac('sha256', key(purpose)).update(text).digest('base64url'),
  }
}

/** Derives a 256-bit key for one purpose from a secret with HKDF-SHA-256 (RFC 5869). */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'gatelodge', purpose, 32))
}

/** Encrypts a text with AES-256-GCM and a random 96-bit nonce. Returns nonce, tag and ciphertext, base64url. */
export function sealWith(key: Buffer | KeyObject, random: Random, plain: string, context: string): string {
  const nonce = random.bytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
  const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url')
}

/** Decrypts the output of `sealWith`. Returns undefined if the key, the context or the text differs. */
export function openWith(key: Buffer | KeyObject, sealed: string, context: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url')
  if (bytes.length < 28) return undefined

  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(Buffer.from(context))
  decipher.setAuthTag(bytes.subarray(12, 28))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')
  } catch {
    return undefined // GCM reports only that authentication failed; the caller decides what it means
  }
}
