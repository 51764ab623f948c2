/** One room's file: lines are added at its end, or all of it is replaced. One call at a time. */
import { type FileHandle, open, readFile, rename, rm, truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { readLines, type Spelled } from './lines.ts'

/** What is on disk before an append is acknowledged: `never` leaves it to the operating system, which survives us, not itself. */
export const fsyncPolicies = ['batched', 'always', 'never'] as const
export type FsyncPolicy = (typeof fsyncPolicies)[number]

/** The end of the name of what is being written in place of a file. */
export const draftEnding = '.new'
/** Bytes of one write: a long file is written in pieces, and others get their turn between them. */
const pieceBytes = 256 * 1024

export class Journal {
  readonly #path: string
  readonly #sync: boolean
  /** Of what is known to be in the file; undefined where what is in it is not known, or there is none. */
  #size: number | undefined

  constructor(path: string, fsync: FsyncPolicy) {
    this.#path = path
    this.#sync = fsync !== 'never'
  }

  /** Bytes of the file; undefined: it has to be replaced before anything can be added. */
  get size(): number | undefined {
    return this.#size
  }

  /** What the file says. A torn end is cut off; not synced: until something is behind it, it would be cut off again. */
  async read(): Promise<Spelled> {
    const spelled = readLines(await readFile(this.#path))
    if (spelled.state === 'torn') await truncate(this.#path, spelled.soundBytes)
    if (spelled.state !== 'damaged') this.#size = spelled.soundBytes
    return spelled
  }

  /**
   * Adds lines. A handle for each time: ten thousand rooms are more than the files that a process may have open.
   * Where it fails nothing of them is relied upon. A write that failed is cut off again. After a sync that failed the
   * system counts as written what is not, and another sync would say so too (fsyncgate): the file is not believed any more.
   */
  async append(text: string): Promise<void> {
    const { size } = this
    if (size === undefined) throw new Error('the file is to be replaced first')
    const bytes = Buffer.from(text)
    this.#size = undefined
    {
      await using file = await open(this.#path, 'r+')
      try {
        await writeAll(file, bytes, size)
      } catch (error) {
        await file.truncate(size).then(
          () => (this.#size = size),
          () => {},
        )
        throw error
      }
      if (this.#sync) await file.datasync()
    }
    this.#size = size + bytes.length
  }

  /**
   * All of the file anew: written beside it, synced, put in its place, and the place synced. A crash at any point leaves
   * the one file or the other, whole. Synced with every policy: unlike an append it would lose what was there before.
   */
  async replace(lines: Iterable<string>, lastAt: number): Promise<void> {
    const draft = `${this.#path}${draftEnding}`
    let size = 0
    try {
      await using file = await open(draft, 'w')
      for (const piece of pieces(lines)) {
        await writeAll(file, piece, size)
        size += piece.length
      }
      // The file is as old as its last message: that is how long a room is idle that nobody has asked for yet.
      await file.utimes(lastAt / 1000, lastAt / 1000)
      await file.sync()
    } catch (error) {
      await rm(draft, { force: true }).catch(() => {})
      throw error
    }
    this.#size = undefined
    await rename(draft, this.#path)
    await syncDirectory(dirname(this.#path))
    this.#size = size
  }

  async remove(): Promise<void> {
    this.#size = undefined
    await rm(this.#path, { force: true })
  }
}

function* pieces(lines: Iterable<string>): Generator<Buffer> {
  let text = ''
  for (const line of lines) {
    text += line
    if (text.length < pieceBytes) continue
    yield Buffer.from(text)
    text = ''
  }
  if (text !== '') yield Buffer.from(text)
}

async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += (await file.write(bytes, written, bytes.length - written, at + written)).bytesWritten
  }
}

/** A name in a directory is on disk once the directory is (fsync(2)). */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r')
  await directory.sync()
}
