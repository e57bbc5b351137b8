import { isIPv4 } from 'node:net'
import type { Actor } from '../kernel/actor.ts'
import { day, type Instant } from '../kernel/clock.ts'
import { newId, type SessionId, sameText, type UserId } from '../kernel/ids.ts'
import type { Keyring } from '../kernel/sealing.ts'
import type { UserRow } from '../store/schema.ts'
import type { ReadDb } from '../store/store.ts'
import type { Work } from '../store/unit-of-work.ts'
import { record } from './audit.ts'
import type { Deps } from './deps.ts'
import type { Email } from './identifiers/email.ts'
import { newDeviceBudget, spendAll } from './limits.ts'
import { requestMail } from './outbox.ts'
import { describeDevice } from './user-agents.ts'

/** How long a device is remembered after its last sign-in, in ms. */
export const deviceMemory = 90 * day
/** The most devices of a user that are trusted. Each may fail independently of strangers, so their number bounds the guesses at a password. */
export const mostDevices = 20

const nilUserId = '00000000-0000-0000-0000-000000000000' as UserId // the nil UUID (RFC 9562, section 5.9)

/** Returns the id from a device cookie that this server issued, or undefined. */
export function readDeviceCookie(keyring: Keyring, cookie: string | null): string | undefined {
  const match = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/.exec(cookie ?? '')
  const [, id = '', mac = ''] = match ?? []
  return match && sameText(mac, keyring.mac('device', id)) ? id : undefined
}

/**
 * Returns the requesting device if the user has signed in with its cookie before and no reset has revoked the trust. Does one look-up whether or not the user
 * exists.
 */
export async function findKnownDevice(
  deps: Deps,
  actor: Actor,
  userId: UserId | undefined,
): Promise<string | undefined> {
  const deviceId = readDeviceCookie(deps.keyring, actor.deviceCookie)
  if (deviceId === undefined) return undefined

  const row = await deps.store.db
    .selectFrom('known_devices')
    .select('place')
    .where('user_id', '=', userId ?? nilUserId)
    .where('device_id', '=', deviceId)
    .where('last_seen_at', '>', deps.clock.now() - deviceMemory)
    .executeTakeFirst()
  return row && deviceId
}

/** Returns the requesting device if the account with this address knows it. Does the same look-ups whether or not the account exists. */
export async function findDeviceOfAddress(deps: Deps, actor: Actor, email: Email): Promise<string | undefined> {
  if (readDeviceCookie(deps.keyring, actor.deviceCookie) === undefined) return undefined

  const user = await deps.store.db.selectFrom('users').select('id').where('email', '=', email).executeTakeFirst()
  return findKnownDevice(deps, actor, user?.id)
}

/** Returns the devices that a user trusts, most recently seen first. */
export async function devicesOf(db: ReadDb, userId: UserId): Promise<string[]> {
  const rows = await db
    .selectFrom('known_devices')
    .select('device_id')
    .where('user_id', '=', userId)
    .where('device_id', 'is not', null)
    .orderBy('last_seen_at', 'desc')
    .orderBy('place')
    .execute()
  return [...new Set(rows.map((row) => row.device_id as string))] // not null, by the condition
}

/** Returns whether any user has signed in with this device cookie before and no reset has revoked the trust. */
export function isDeviceOfSomebody({ store, clock }: Deps, deviceId: string): Promise<boolean> {
  return isTrusted(store.db, deviceId, clock.now())
}

async function isTrusted(db: ReadDb, deviceId: string, now: Instant): Promise<boolean> {
  const row = await db
    .selectFrom('known_devices')
    .select('place')
    .where('device_id', '=', deviceId)
    .where('last_seen_at', '>', now - deviceMemory)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Remembers where a sign-in came from and notifies the user if it is new: no known device cookie, and no sign-in with the same user agent and network within 90
 * days. There is no notice for the first sign-in, and at most one a day. Returns the device cookie. If no account trusts the cookie that was sent, it gets a
 * new id, because a thief may have a copy.
 */
export async function rememberDevice(deps: Deps, work: Work, user: UserRow, sessionId: SessionId): Promise<string> {
  const cookie = readDeviceCookie(work.keyring, work.actor.deviceCookie) ?? null
  const place = placeOf(work.keyring, work.actor)
  const known = await work.db
    .selectFrom('known_devices')
    .selectAll()
    .where('user_id', '=', user.id)
    .where('last_seen_at', '>', work.now - deviceMemory)
    .where((eb) => eb.or([eb('device_id', '=', cookie), eb('place', '=', place)]))
    .execute()

  const here = known.find((device) => device.place === place)
  const isOurs = known.some((device) => device.device_id === cookie)
  const trusted = cookie !== null && (isOurs || (await isTrusted(work.db, cookie, work.now))) ? cookie : null
  const deviceId = trusted ?? here?.device_id ?? newId(work.random)
  const isUpToDate = here?.device_id === deviceId && here.last_seen_at > work.now - day
  if (!isUpToDate) await storeDevice(work, user.id, place, deviceId)
  if (known.length === 0 && user.last_login_at !== null) await tellOfNewDevice(deps, work, user, sessionId)
  return toDeviceCookie(work.keyring, deviceId)
}

async function storeDevice(work: Work, userId: UserId, place: string, deviceId: string): Promise<void> {
  const values = { device_id: deviceId, last_seen_at: work.now }
  await work.db
    .insertInto('known_devices')
    .values({ user_id: userId, place, ...values })
    .onConflict((conflict) => conflict.columns(['user_id', 'place']).doUpdateSet(values))
    .execute()
  const surplus = (await devicesOf(work.db, userId)).slice(mostDevices)
  if (surplus.length > 0) await distrustDevices(work, userId, surplus)
}

/**
 * Trusts the browser that used an emailed link, which proves more than a password does, and returns its device cookie. The id is new, because a thief may have
 * the cookie that the browser sent. There has been no sign-in yet, so the place stays unknown.
 */
export async function trustDevice(work: Work, userId: UserId): Promise<string> {
  const deviceId = newId(work.random)
  await storeDevice(work, userId, work.keyring.mac('device', `link\n${deviceId}`), deviceId)
  return toDeviceCookie(work.keyring, deviceId)
}

/** Revokes the trust in some or all devices of a user. The places of their sign-ins stay known. */
export async function distrustDevices(work: Work, userId: UserId, deviceIds?: readonly string[]): Promise<void> {
  const all = work.db.updateTable('known_devices').set({ device_id: null }).where('user_id', '=', userId)
  await (deviceIds ? all.where('device_id', 'in', deviceIds) : all).execute()
}

/** Deletes all devices of a user, so that the next sign-in from any of them causes a notice. */
export async function forgetDevices(work: Work, userId: UserId): Promise<void> {
  await work.db.deleteFrom('known_devices').where('user_id', '=', userId).execute()
}

function toDeviceCookie(keyring: Keyring, deviceId: string): string {
  return `${deviceId}.${keyring.mac('device', deviceId)}`
}

async function tellOfNewDevice(deps: Deps, work: Work, user: UserRow, sessionId: SessionId): Promise<void> {
  const device = describeDevice(work.actor.userAgent)
  await record(work, 'signin.new_device', user.id, { device })
  if (!(await spendAll(deps, work, [newDeviceBudget], user.id))) return
  await requestMail(work, 'new_device', { userId: user.id, sessionId, device, ip: work.actor.ip, at: work.now })
}

function placeOf(keyring: Keyring, actor: Actor): string {
  return keyring.mac('device', `${actor.userAgent ?? ''}\n${networkOf(actor.ip)}`)
}

/** Returns the /24 of an IPv4 address. IPv6 addresses are already truncated to their /64. */
function networkOf(ip: string | null): string {
  if (ip === null) return ''
  return isIPv4(ip) ? ip.slice(0, ip.lastIndexOf('.')) : ip
}
