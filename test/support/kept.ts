/** A file store and the directory it keeps, for tests that look at the files, spoil them and open them again. */
import { copyFileSync, cpSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Ack, Member } from '../../src/protocol/message.ts'
import { FileStore, type FileStoreOptions } from '../../src/store/file.ts'
import { temporaryDirectory } from './directory.ts'

export const ann: Member = { id: 'm_annannann', name: 'Ann' }

/** Directories of one test file, each new. */
export class Directories {
  readonly #base = temporaryDirectory()
  #made = 0

  next(): string {
    return join(this.#base, `${++this.#made}`)
  }

  /** What a process that is killed now leaves: its files as they are, its lock held by nobody. */
  afterCrash(of: string): string {
    const copy = this.next()
    cpSync(of, copy, { recursive: true, filter: (path) => !path.endsWith('.sock') })
    return copy
  }
}

/** What is left of one room only. */
export function afterCrashAlone(directories: Directories, of: string, room: string): string {
  const copy = directories.next()
  mkdirSync(join(copy, 'rooms'), { recursive: true })
  copyFileSync(fileOf(of, room), fileOf(copy, room))
  return copy
}

/** Opened for one test, without waiting for company, and quick where nothing else is said: nobody pulls a plug. */
export async function openKept(directory: string, options: FileStoreOptions = {}): Promise<FileStore> {
  const store = await FileStore.open(directory, { batchMs: 0, fsync: 'never', ...options })
  onTestFinished(() => store.close())
  return store
}

export const fileOf = (directory: string, room = 'lobby'): string => join(directory, 'rooms', `${room}.jsonl`)
export const sizeOf = (directory: string, room?: string): number => statSync(fileOf(directory, room)).size
/** The lines of a room's file, each with its end. */
export const linesOf = (directory: string, room?: string): string[] =>
  readFileSync(fileOf(directory, room), 'utf8')
    .split(/(?<=\n)/)
    .filter((line) => line !== '')

let drawn = 0
/** Appends a message of its own. */
export async function say(store: FileStore, text = 'hi', room = 'lobby', id = `draft-${String(++drawn).padStart(6, '0')}`): Promise<Ack> {
  const appended = await store.append(room, ann, { id, text })
  if (appended.outcome === 'mismatch') throw new Error('the id was taken')
  return appended.ack
}

export async function sayMany(store: FileStore, count: number, text = 'hi', room = 'lobby'): Promise<Ack[]> {
  const acks: Ack[] = []
  for (let said = 1; said <= count; said++) acks.push(await say(store, `${text} ${said}`, room))
  return acks
}
