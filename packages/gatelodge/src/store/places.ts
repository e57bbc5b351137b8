import { accessSync, constants, lstatSync, type Stats, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { AuthError } from '../kernel/errors.ts'
import { shellWord } from '../kernel/shell-word.ts'

/** What prevents this process from using a file or folder, and what to do about it. For operators, since it contains paths. */
export interface Obstacle {
  readonly says: string
  readonly advice: string
}

/**
 * Runs `open`, which opens or creates `file`, and explains its errors; `what` describes the file to operators.
 * @throws service_unavailable with the cause and the next step; an AuthError unchanged
 */
export function explained<T>(what: string, file: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    throw cannotUse(what, file, error, explainPlace(file, error))
  }
}

/** Returns the error for operators after a file failed with `cause`. */
export function cannotUse(what: string, file: string, cause: unknown, obstacle: Obstacle | undefined): AuthError {
  if (cause instanceof AuthError) return cause

  const { says, advice } = obstacle ?? { says: messageOf(cause), advice: 'run "gatelodge doctor" as the same user' }
  const detail = `${what} ${file} cannot be used: ${says}. What to do: ${advice}`
  return new AuthError('service_unavailable', { detail, cause })
}

/** Explains a failure of node:fs. Returns undefined if the system shows no cause. */
export function explainPlace(file: string, error: unknown): Obstacle | undefined {
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(file)

  return findObstacle(file) ?? missingFolder(file) ?? foreignFile(file, code) ?? missingRight(dirname(file), 'read')
}

/**
 * Finds what prevents this process from reading and writing files in one folder, or from creating the files and the folder. Changes nothing. Obstacles to
 * reading come first, since only they explain a read that was refused.
 */
export function findObstacle(file: string, ...others: string[]): Obstacle | undefined {
  const folder = dirname(file)
  const files = [file, ...others]
  const obstacles = [
    folderObstacle(folder),
    ...files.map(fileObstacle),
    ...[folder, ...files].map((place) => missingRight(place, 'write')),
  ]
  return obstacles.find((found) => found !== undefined)
}

/** Finds what prevents this process from using a folder. If it is missing, the folder above it has to be writable. */
function folderObstacle(folder: string): Obstacle | undefined {
  let place = folder
  let found = look(place)
  const missing = found === 'ENOENT'
  // The cause is further up: a file in the path, a folder that cannot be entered, or the parent in which the missing folder would be created.
  while (
    typeof found === 'string' &&
    /^(?:ENOENT|ENOTDIR|EACCES)$/.test(found) &&
    !isLink(place) &&
    dirname(place) !== place
  ) {
    place = dirname(place)
    found = look(place)
  }
  if (typeof found === 'string') return isLink(place) ? danglingLink(place) : unreachable(place, found)
  if (!found.isDirectory()) return wrongKind(`${place} is a file, not a folder`, 'ENOTDIR')

  if (!missing) return missingRight(place, 'enter')
  const obstacle = missingRight(place, 'enter', folder) ?? missingRight(place, 'write', folder)
  return obstacle && { ...obstacle, says: `${folder} cannot be created: ${obstacle.says}` }
}

/** Finds what prevents this process from reading a file. A missing file is no obstacle. */
function fileObstacle(file: string): Obstacle | undefined {
  const found = look(file)
  if (typeof found === 'string') {
    if (isLink(file)) return danglingLink(file)
    return found === 'ENOENT' ? undefined : unreachable(file, found)
  }
  if (found.isDirectory()) return wrongKind(`${file} is a folder, not a file`, 'EISDIR')
  return found.isFile() ? missingRight(file, 'read') : wrongKind(`${file} is not a regular file`, 'EINVAL')
}

/** Returns the obstacle for a full disk. */
export function diskFull(file: string): Obstacle {
  return { says: `the disk of ${file} is full`, advice: `free space or inodes there: df ${shellWord(dirname(file))}` }
}

/** Returns whether the file system of `file` has no free block or inode left for this user. */
export function isDiskFull(file: string): boolean {
  try {
    const { bavail, files, ffree } = statfsSync(dirname(file))
    return bavail === 0 || (files > 0 && ffree === 0)
  } catch {
    return false
  }
}

const rights = {
  enter: { mode: constants.X_OK, letter: 'x', says: 'cannot be entered by this user' },
  read: { mode: constants.R_OK, letter: 'r', says: 'cannot be read by this user' },
  write: { mode: constants.W_OK, letter: 'w', says: 'is read-only for this user' },
} as const

type Right = (typeof rights)[keyof typeof rights]

/** Asks the system instead of reading mode bits, since it knows about access control lists, capabilities and root. Returns undefined for a missing file. */
function missingRight(place: string, right: keyof typeof rights, toCreate?: string): Obstacle | undefined {
  const { mode, says } = rights[right]
  try {
    accessSync(place, mode)
    return undefined
  } catch (error) {
    const code = codeOf(error)
    const stats = look(place)
    if (typeof stats === 'string') return undefined
    if (code === 'EROFS') {
      return {
        says: `${place} is on a file system that is mounted read-only (EROFS)`,
        advice: 'remount it for reading and writing',
      }
    }
    const reason = `${place} ${says}, which lacks the permission to ${right} (${code})`
    return { says: reason, advice: code === 'EPERM' ? mutable(place) : grant(place, stats, rights[right], toCreate) }
  }
}

/** The owner may change the mode. Any other user needs root, and is not advised to give away a system folder. */
function grant(place: string, stats: Stats, { letter, mode }: Right, toCreate: string | undefined): string {
  const user = process.getuid?.() ?? stats.uid
  if (stats.uid === user && (stats.mode & (mode << 6)) === 0) return `chmod u+${letter} ${shellWord(place)}`
  if (stats.uid === user) return `check for an access control list or a policy: ls -dlZ ${shellWord(place)}`

  const owners = `it belongs to user ${stats.uid}, but this program runs as user ${user}`
  if (toCreate !== undefined)
    return `${owners}: install -d -m 0700 -o ${user} ${shellWord(toCreate)}, or correct the path`
  const chown = `chown ${user} ${shellWord(place)}`
  return stats.isDirectory()
    ? `${owners}: ${chown} if nothing else uses the folder, or choose another one`
    : `${owners}: ${chown}, or run the program as the owner`
}

function mutable(place: string): string {
  return `it is marked immutable, see "lsattr -d": chattr -i ${shellWord(place)}`
}

function wrongKind(says: string, code: string): Obstacle {
  return { says: `${says} (${code})`, advice: 'correct the path, or move what is there out of the way' }
}

function unreachable(place: string, code: string): Obstacle {
  return wrongKind(`${place} cannot be reached`, code)
}

function danglingLink(place: string): Obstacle {
  return wrongKind(`${place} is a link to a file that does not exist`, 'ENOENT')
}

/** Returns an obstacle if the folder of `file` is missing, since not every caller creates it. */
function missingFolder(file: string): Obstacle | undefined {
  const folder = dirname(file)
  if (look(folder) !== 'ENOENT') return undefined
  return { says: `the folder ${folder} does not exist (ENOENT)`, advice: `mkdir -p ${shellWord(folder)}` }
}

/** A file can be writable although only its owner may change its mode. */
function foreignFile(file: string, code: string | undefined): Obstacle | undefined {
  const found = look(file)
  const user = process.getuid?.()
  if (code !== 'EPERM' || typeof found === 'string' || found.uid === user) return undefined
  return {
    says: `${file} belongs to user ${found.uid}, but this program runs as user ${user} (EPERM)`,
    advice: `chown ${user} ${shellWord(file)}`,
  }
}

/** Returns the file's stats, or the system's error code if they cannot be read. */
function look(place: string): Stats | string {
  try {
    return statSync(place)
  } catch (error) {
    return codeOf(error) ?? 'unknown'
  }
}

/** Returns whether the path is a symbolic link; false if this user cannot find out. */
export function isLink(place: string): boolean {
  try {
    return lstatSync(place).isSymbolicLink()
  } catch {
    return false
  }
}

/** Returns the system error code, such as EACCES, of an error or of one of its causes. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  return 'syscall' in error && 'code' in error ? String(error.code) : codeOf(error.cause)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'no reason was given'
}
