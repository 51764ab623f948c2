/**
 * The data directory of one process:
 *
 *     format              which version of this layout it is
 *     session-secret      signs the session cookies; for nobody else to read
 *     lock-….sock         who holds the directory now (claim.ts)
 *     rooms/<room>.jsonl  a room (lines.ts)
 */
import { readdirSync, statSync } from 'node:fs'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { randomBytes } from 'node:crypto'
import { roomSpelling } from '../../protocol/draft.ts'
import { claim } from './claim.ts'
import { draftEnding, syncDirectory } from './journal.ts'

const format = 1
const ending = '.jsonl'

/** A room that was there before: bytes of its file, and when its last message came, in ms since 1970. */
export interface Found {
  readonly room: string
  readonly bytes: number
  readonly lastAt: number
}

export class DataDirectory {
  readonly path: string
  readonly #release: () => Promise<void>

  private constructor(path: string, release: () => Promise<void>) {
    this.path = path
    this.#release = release
  }

  /** Makes the directory where there is none, and holds it. @throws Error in one sentence that says what is wrong with it */
  static async open(directory: string): Promise<DataDirectory> {
    const path = resolve(directory)
    let release: (() => Promise<void>) | undefined
    try {
      const made = await make(join(path, 'rooms'))
      await checkFormat(path)
      release = await claim(path)
      if (made !== undefined) await syncFrom(dirname(made), path)
      await keepOnce(join(path, 'format'), `${format}\n`, 0o644)
      return new DataDirectory(path, release)
    } catch (error) {
      await release?.()
      throw explained(path, error as NodeJS.ErrnoException)
    }
  }

  /** The secret that signs session cookies, drawn at the first start: cookies survive a restart. */
  async sessionSecret(): Promise<string> {
    return keepOnce(join(this.path, 'session-secret'), `${randomBytes(32).toString('base64url')}\n`, 0o600)
  }

  /** Where a room is kept. */
  fileOf(room: string): string {
    if (!roomSpelling.test(room)) throw new Error('that is no name of a room')
    return join(this.path, 'rooms', `${fileName(room)}${ending}`)
  }

  /** The rooms that are there, the longest idle first; what a crash left half-written is removed. */
  async rooms(): Promise<Found[]> {
    const found: Found[] = []
    for (const name of readdirSync(join(this.path, 'rooms'))) {
      const path = join(this.path, 'rooms', name)
      if (name.endsWith(draftEnding)) await rm(path, { force: true, recursive: true })
      if (!name.endsWith(ending)) continue
      const room = roomName(name.slice(0, -ending.length))
      if (room === undefined) continue
      const file = statSync(path, { throwIfNoEntry: false })
      if (file !== undefined) found.push({ room, bytes: file.size, lastAt: file.mtimeMs })
    }
    return found.toSorted((one, other) => one.lastAt - other.lastAt)
  }

  close(): Promise<void> {
    return this.#release()
  }
}

/**
 * Makes a directory and those above it; resolves with the topmost one that was made. Node's own `recursive` tries for ever
 * where a directory takes none, as /proc.
 */
async function make(path: string, mayNeedParent = true): Promise<string | undefined> {
  try {
    await mkdir(path, { mode: 0o700 })
    return path
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return undefined
    if (code !== 'ENOENT' || !mayNeedParent) throw error
  }
  const above = await make(dirname(path))
  const made = await make(path, false)
  return above ?? made
}

/** A directory that was made is there after a crash once the one that it is in is synced, and so on upwards. */
async function syncFrom(top: string, path: string): Promise<void> {
  if (path !== top) await syncFrom(top, dirname(path))
  await syncDirectory(path).catch((error: NodeJS.ErrnoException) => {
    // Above our own may be one that we may write to and not read.
    if (error.code !== 'EACCES') throw error
  })
}

// A file system may not tell A from a, and a room's name does.
const fileName = (room: string): string => room.replace(/[A-Z]/g, (letter) => `=${letter.toLowerCase()}`)
function roomName(name: string): string | undefined {
  const room = name.replace(/=([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return roomSpelling.test(room) && fileName(room) === name ? room : undefined
}

async function checkFormat(path: string): Promise<void> {
  const found = await readFile(join(path, 'format'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined || Number(found) === format) return
  throw new Error(
    `${path} was made by another version: its format is ${JSON.stringify(found.trim().slice(0, 20))}, this one knows ${format}.`,
  )
}

/** What a file says that is written once and stays. */
async function keepOnce(path: string, text: string, mode: number): Promise<string> {
  const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (known !== undefined) return known.trim()
  const draft = `${path}${draftEnding}`
  await rm(draft, { force: true })
  const file = await open(draft, 'wx', mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
  await syncDirectory(join(path, '..'))
  return text.trim()
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'cannot be made there',
  ENOTDIR: 'is not a directory',
  EEXIST: 'is not a directory',
  EACCES: 'is not ours to read and write',
  EPERM: 'is not ours to read and write, or cannot hold a socket',
  EROFS: 'is on a file system that cannot be written to',
  ENOSPC: 'is on a file system that is full',
  ENOTSUP: 'is on a file system that cannot hold a socket, which says that the directory is in use',
  EINVAL: 'is too long a path for a socket, which says that the directory is in use',
}

function explained(path: string, error: NodeJS.ErrnoException): Error {
  const reason = error.code === undefined ? undefined : (reasons[error.code] ?? `cannot be used: ${error.message}`)
  return reason === undefined ? error : new Error(`${path} ${reason}.`, { cause: error })
}
