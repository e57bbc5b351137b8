import { accessSync, constants, lstatSync, type Stats, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { AuthError } from '../kernel/errors.ts'
import { shellWord } from '../kernel/shell-word.ts'

/** What keeps this process from a file or folder, and what to do next. For operators: it names paths. */
export interface Obstacle {
  readonly says: string
  readonly advice: string
}

/** Runs what opens or creates `file`; `what` names it to operators. @throws service_unavailable with the cause and the next step; an AuthError as it is */
export function explained<T>(what: string, file: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    throw cannotUse(what, file, error, explainPlace(file, error))
  }
}

/** Returns the error for an operator whose file failed with `cause`. */
export function cannotUse(what: string, file: string, cause: unknown, obstacle: Obstacle | undefined): AuthError {
  if (cause instanceof AuthError) return cause

  const { says, advice } = obstacle ?? { says: messageOf(cause), advice: 'run "gatelodge doctor" as the same user' }
  const detail = `${what} ${file} cannot be used: ${says}. What to do: ${advice}`
  return new AuthError('service_unavailable', { detail, cause })
}

/** Explains a failure of node:fs. Undefined where the system shows no cause. */
export function explainPlace(file: string, error: unknown): Obstacle | undefined {
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(file)

  return findObstacle(file) ?? missingFolder(file) ?? foreignFile(file, code) ?? missingRight(dirname(file), 'read')
}

/**
 * Finds what keeps this process from reading and writing files of one folder, or from creating them and the folder. Changes nothing. What keeps it from
 * reading comes first: a read that was refused has no other cause.
 */
export function findObstacle(file: string, ...beside: string[]): Obstacle | undefined {
  const folder = dirname(file)
  const files = [file, ...beside]
  const obstacles = [
    folderObstacle(folder),
    ...files.map(fileObstacle),
    ...[folder, ...files].map((place) => missingRight(place, 'write')),
  ]
  return obstacles.find((found) => found !== undefined)
}

/** A folder that is missing has to be created: then the one above has to be writable. */
function folderObstacle(folder: string): Obstacle | undefined {
  let place = folder
  let found = look(place)
  const missing = found === 'ENOENT'
  // The cause is further up: a file on the way, a folder that may not be entered, or the one in which a missing folder would be created.
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
  if (!found.isDirectory()) return wrongKind(`${place} is a file and not a folder`, 'ENOTDIR')

  if (!missing) return missingRight(place, 'enter')
  const obstacle = missingRight(place, 'enter', folder) ?? missingRight(place, 'write', folder)
  return obstacle && { ...obstacle, says: `${folder} cannot be created: ${obstacle.says}` }
}

/** What keeps this process from reading a file that may be missing. */
function fileObstacle(file: string): Obstacle | undefined {
  const found = look(file)
  if (typeof found === 'string') {
    if (isLink(file)) return danglingLink(file)
    return found === 'ENOENT' ? undefined : unreachable(file, found)
  }
  if (found.isDirectory()) return wrongKind(`${file} is a folder and not a file`, 'EISDIR')
  return found.isFile() ? missingRight(file, 'read') : wrongKind(`${file} is not a regular file`, 'EINVAL')
}

/** Explains a disk without room. */
export function diskFull(file: string): Obstacle {
  return { says: `the disk of ${file} is full`, advice: `free space or inodes there: df ${shellWord(dirname(file))}` }
}

/** Whether the file system of `file` has no block or no inode left for this user. */
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

/** The system is asked: it knows access control lists and capabilities, and that root needs no bits. What is missing lacks nothing. */
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
        advice: 'mount it for reading and writing',
      }
    }
    const reason = `${place} ${says}, who lacks the right to ${right} (${code})`
    return { says: reason, advice: code === 'EPERM' ? mutable(place) : grant(place, stats, rights[right], toCreate) }
  }
}

/** The owner may change the mode; another user needs root, who is not told to give away a folder of the system. */
function grant(place: string, stats: Stats, { letter, mode }: Right, toCreate: string | undefined): string {
  const user = process.getuid?.() ?? stats.uid
  if (stats.uid === user && (stats.mode & (mode << 6)) === 0) return `chmod u+${letter} ${shellWord(place)}`
  if (stats.uid === user) return `look for an access control list or a policy: ls -dlZ ${shellWord(place)}`

  const owners = `it belongs to user ${stats.uid}, and this program runs as user ${user}`
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
  return wrongKind(`${place} is a link that leads nowhere`, 'ENOENT')
}

/** Not every folder is created on the way. */
function missingFolder(file: string): Obstacle | undefined {
  const folder = dirname(file)
  if (look(folder) !== 'ENOENT') return undefined
  return { says: `the folder ${folder} does not exist (ENOENT)`, advice: `mkdir -p ${shellWord(folder)}` }
}

/** A file may be writable, and its mode still be its owner's alone to change. */
function foreignFile(file: string, code: string | undefined): Obstacle | undefined {
  const found = look(file)
  const user = process.getuid?.()
  if (code !== 'EPERM' || typeof found === 'string' || found.uid === user) return undefined
  return {
    says: `${file} belongs to user ${found.uid}, and this program runs as user ${user} (EPERM)`,
    advice: `chown ${user} ${shellWord(file)}`,
  }
}

/** What is there, or the code of the system that says why this cannot be seen. */
function look(place: string): Stats | string {
  try {
    return statSync(place)
  } catch (error) {
    return codeOf(error) ?? 'unknown'
  }
}

/** False where this user cannot tell. */
export function isLink(place: string): boolean {
  try {
    return lstatSync(place).isSymbolicLink()
  } catch {
    return false
  }
}

/** The code of the system, such as EACCES, that an error or one of its causes has. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  return 'syscall' in error && 'code' in error ? String(error.code) : codeOf(error.cause)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'no reason was given'
}
