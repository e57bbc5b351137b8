import { isIPv4 } from 'node:net'
import type { Actor } from '../kernel/actor.ts'
import { day } from '../kernel/clock.ts'
import { newId, type SessionId, sameText, type UserId } from '../kernel/ids.ts'
import type { Keyring } from '../kernel/sealing.ts'
import type { UserRow } from '../store/schema.ts'
import type { Work } from '../store/unit-of-work.ts'
import { record } from './audit.ts'
import type { Deps } from './deps.ts'
import { newDeviceBudget, spendAll } from './limits.ts'
import { requestMail } from './outbox.ts'
import { describeDevice } from './user-agents.ts'

/** How long a device is remembered after its last sign-in, in ms. */
export const deviceMemory = 90 * day

/** The id in a device cookie that this server made, or undefined. */
export function readDeviceCookie(keyring: Keyring, cookie: string | null): string | undefined {
  const match = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/.exec(cookie ?? '')
  const [, id = '', mac = ''] = match ?? []
  return match && sameText(mac, keyring.mac('device', id)) ? id : undefined
}

/** Whether the user has signed in with this device cookie before and no reset took the trust away. */
export async function isKnownDevice(deps: Deps, userId: UserId, deviceId: string): Promise<boolean> {
  const row = await deps.store.db
    .selectFrom('known_devices')
    .select('place')
    .where('user_id', '=', userId)
    .where('device_id', '=', deviceId)
    .where('last_seen_at', '>', deps.clock.now() - deviceMemory)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Remembers where a sign-in came from and tells the user when it is new: no device cookie of theirs, and no sign-in from the same agent and network
 * within 90 days. Never at the first sign-in, at most once a day. Answers the device cookie.
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
  const deviceId = cookie ?? here?.device_id ?? newId(work.random)
  const isUpToDate = here?.device_id === deviceId && here.last_seen_at > work.now - day
  if (!isUpToDate) await storeDevice(work, user.id, place, deviceId)
  if (known.length === 0 && user.last_login_at !== null) await tellOfNewDevice(deps, work, user, sessionId)
  return `${deviceId}.${work.keyring.mac('device', deviceId)}`
}

async function storeDevice(work: Work, userId: UserId, place: string, deviceId: string): Promise<void> {
  const values = { device_id: deviceId, last_seen_at: work.now }
  await work.db
    .insertInto('known_devices')
    .values({ user_id: userId, place, ...values })
    .onConflict((conflict) => conflict.columns(['user_id', 'place']).doUpdateSet(values))
    .execute()
}

/** Takes the trust away from every device of a user; where they signed in from stays known. */
export async function distrustDevices(work: Work, userId: UserId): Promise<void> {
  await work.db.updateTable('known_devices').set({ device_id: null }).where('user_id', '=', userId).execute()
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

/** The /24 of an IPv4 address; IPv6 addresses come as their /64 already. */
function networkOf(ip: string | null): string {
  if (ip === null) return ''
  return isIPv4(ip) ? ip.slice(0, ip.lastIndexOf('.')) : ip
}
