/** A file store on a disk that fails, in a directory that is not free, and at the moment of an acknowledgement. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { open as openFile, readFile } from 'node:fs/promises'
import { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Cursor } from '../../src/protocol/message.ts'
import { FileStore, fsyncPolicies } from '../../src/store/file.ts'
import { ann, Directories, fileOf, linesOf, openKept, say, sayMany } from '../support/kept.ts'

const directories = new Directories()

/** From now on the room's file is a device: one that is always full, or one that takes all and cannot be synced. */
function becomeDevice(directory: string, device: '/dev/full' | '/dev/null'): void {
  rmSync(fileOf(directory))
  symlinkSync(device, fileOf(directory))
}

describe('file: a disk that', () => {
  const failures = [
    ['is full', '/dev/full', 'never'],
    ['takes a write and fails the sync', '/dev/null', 'batched'],
    ['takes a write and fails the sync, one by one', '/dev/null', 'always'],
  ] as const
  it.each(failures)(
    '%s: what could not be kept is refused and shown to nobody, and what comes next is kept',
    async (_what, device, fsync) => {
      const directory = directories.next()
      const store = await openKept(directory, { fsync })
      const acks = await sayMany(store, 3)
      const heads: Cursor[] = []
      await store.watch('lobby', (head) => heads.push(head))
      becomeDevice(directory, device)
      const draft = { id: 'c1f09b2e', text: 'lost?' }
      await expect(store.append('lobby', ann, draft)).rejects.toThrow(/ENOSPC|EINVAL/)
      expect(heads).toEqual([])
      expect(await store.read('lobby', acks[2]?.cursor)).toEqual({ messages: [], cursor: acks[2]?.cursor })
      expect(await store.find('lobby', ann, draft)).toBeUndefined()
      // The same id again is no repeat: it was never there. The file is written anew, in place of the one that failed.
      expect(await store.append('lobby', ann, draft)).toMatchObject({ outcome: 'appended', ack: { seq: 4 } })
      expect(heads).toHaveLength(1)
      const again = await openKept(directories.afterCrash(directory))
      expect(await again.read('lobby', acks[0]?.cursor)).toEqual(await store.read('lobby', acks[0]?.cursor))
    },
  )

  it('fails a whole batch fails each of it, and the numbers of the next begin where they did', async () => {
    const directory = directories.next()
    const store = await openKept(directory, { fsync: 'batched' })
    await sayMany(store, 3)
    becomeDevice(directory, '/dev/full')
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => say(store)))
    expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'rejected'))
    expect((await sayMany(store, 2)).map(({ seq }) => seq)).toEqual([4, 5])
  })

  it('cannot replace a file either: the room is refused until it can, and read all the while', async () => {
    const directory = directories.next()
    const store = await openKept(directory)
    const acks = await sayMany(store, 3)
    becomeDevice(directory, '/dev/full')
    mkdirSync(`${fileOf(directory)}.new`)
    for (let attempt = 0; attempt < 3; attempt++) await expect(say(store)).rejects.toThrow(/ENOSPC|EISDIR/)
    expect((await store.read('lobby', acks[0]?.cursor)).messages).toHaveLength(2)
    rmSync(`${fileOf(directory)}.new`, { recursive: true })
    expect(await say(store)).toMatchObject({ seq: 4 })
    expect(linesOf(directory)).toHaveLength(5)
  })

  it('loses a file under way is written anew from memory', async () => {
    const directory = directories.next()
    const store = await openKept(directory)
    await sayMany(store, 3)
    rmSync(fileOf(directory))
    await expect(say(store)).rejects.toThrow('ENOENT')
    expect(await say(store)).toMatchObject({ seq: 4 })
    const again = await openKept(directories.afterCrash(directory))
    expect((await again.read('lobby', 'earliest')).messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
  })

  it.runIf(process.getuid?.() === 0 && process.platform === 'linux')(
    'fills up, and has room again: nothing acknowledged is lost, nothing refused is shown',
    async () => {
      const directory = directories.next()
      mkdirSync(directory)
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', directory], { stdio: 'ignore' })
      } catch {
        // A container may be root and not mount; /dev/full is full without it.
        return
      }
      try {
        const store = await FileStore.open(directory, { fsync: 'batched', batchMs: 0, compactBytes: 1e9 })
        const acked: number[] = []
        const text = 'x'.repeat(4_000)
        for (let said = 0; said < 100; said++) {
          await say(store, text).then(
            ({ seq }) => acked.push(seq),
            () => {},
          )
        }
        expect(acked.length).toBeGreaterThan(20)
        expect(acked.length).toBeLessThan(70)
        expect((await store.read('lobby', 'earliest', 500)).messages[0]?.seq).toBe(1)
        const left = directories.afterCrash(directory)
        execFileSync('mount', ['-o', 'remount,size=2m', directory], { stdio: 'ignore' })
        acked.push((await say(store, text)).seq)
        await store.close()
        expect(acked).toEqual(acked.map((_, index) => index + 1))
        const kept = async (at: string): Promise<number> => {
          const again = await openKept(at, { limits: { batchBytes: 1e9 } })
          return (await again.read('lobby', 'earliest')).messages.length
        }
        expect(await kept(left)).toBe(acked.length - 1)
        expect(await kept(directories.afterCrash(directory))).toBe(acked.length)
      } finally {
        execFileSync('umount', [directory])
      }
    },
  )
})

describe('file: a disk that stands still', () => {
  /** A file that is read, or written, only when somebody at its other end allows it. */
  const hold = (path: string): void => void execFileSync('mkfifo', [path])

  it("keeps the directory until what was under way is over: nothing touches a file that may be another process's by then", async () => {
    const directory = directories.next()
    await (await openKept(directory)).close()
    hold(fileOf(directory))
    const store = await openKept(directory)
    const reading = store.read('lobby', undefined).then(
      () => 'answered',
      () => 'refused',
    )
    // Possible from when somebody is about to read.
    const end = await vi.waitFor(() => openSync(fileOf(directory), constants.O_WRONLY | constants.O_NONBLOCK))
    const closing = store.close().then(() => readdirSync(directory).filter((name) => name.startsWith('lock-')))
    await expect(FileStore.open(directory)).rejects.toThrow('is in use')
    writeSync(end, 'damage\n')
    closeSync(end)
    expect(await closing).toEqual([])
    expect(await reading).toBe('refused')
    // What was damaged is for the next owner to mend.
    expect(statSync(fileOf(directory)).isFIFO()).toBe(true)
  })

  it('fails what comes at once where too many wait already, in all rooms together, until they have been answered', async () => {
    const directory = directories.next()
    const store = await openKept(directory)
    await say(store, 'hi', 'elsewhere')
    hold(`${fileOf(directory)}.new`)
    const waiting = Array.from({ length: 10_000 }, () =>
      say(store).then(
        () => 'kept',
        (error: Error) => error.message,
      ),
    )
    for (const room of ['lobby', 'elsewhere'])
      await expect(say(store, 'hi', room)).rejects.toThrow('10000 messages wait for the disk already')
    // What can be read is no disk, and cannot be written as one.
    await readFile(`${fileOf(directory)}.new`)
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([expect.stringContaining('ESPIPE')]))
    for (const [room, seq] of Object.entries({ lobby: 1, elsewhere: 2 })) expect(await say(store, 'hi', room)).toMatchObject({ seq })
  })
})

describe('file: an acknowledgement', () => {
  /** How often files are synced from now on. */
  async function syncs(): Promise<ReturnType<typeof vi.spyOn>> {
    const file = await openFile('/dev/null')
    const spy = vi.spyOn(Object.getPrototypeOf(file) as typeof file, 'datasync')
    await file.close()
    onTestFinished(() => void vi.restoreAllMocks())
    return spy
  }

  it('of "batched" comes after a sync that is shared with what came meanwhile', async () => {
    const store = await openKept(directories.next(), { fsync: 'batched', batchMs: 500 })
    await say(store)
    const spy = await syncs()
    // In three turns, all of them long before the batch goes.
    const said = [say(store), say(store)]
    await new Promise((resolve) => setImmediate(resolve))
    said.push(say(store), say(store))
    await new Promise((resolve) => setImmediate(resolve))
    said.push(say(store))
    expect((await Promise.all(said)).map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6])
    expect(spy).toHaveBeenCalledOnce()
  })

  it('of "always" comes after a sync of its own', async () => {
    const store = await openKept(directories.next(), { fsync: 'always' })
    await say(store)
    const spy = await syncs()
    expect((await Promise.all([say(store), say(store), say(store)])).map(({ seq }) => seq)).toEqual([2, 3, 4])
    expect(spy).toHaveBeenCalledTimes(3)
  })

  it('of "never" comes after the write: the process may be killed, the machine may not', async () => {
    const directory = directories.next()
    const store = await openKept(directory, { fsync: 'never' })
    await say(store)
    const spy = await syncs()
    await say(store)
    expect(spy).not.toHaveBeenCalled()
    expect(linesOf(directory)).toHaveLength(3)
  })

  it.each(fsyncPolicies)('of "%s" is given for all that was accepted before the store was closed', async (fsync) => {
    const directory = directories.next()
    const store = await openKept(directory, { fsync, batchMs: 50 })
    await store.read('lobby', undefined)
    const said = Array.from({ length: 21 }, () => say(store))
    await new Promise((resolve) => setImmediate(resolve))
    await store.close()
    expect((await Promise.all(said)).map(({ seq }) => seq)).toEqual(said.map((_, index) => index + 1))
    expect(linesOf(directory)).toHaveLength(22)
    expect(store.size).toEqual({ bytes: 0, rooms: 0 })
  })
})

describe('file: a directory', () => {
  it('has one process: a second is refused in a sentence that names the first, and the first goes on', async () => {
    const directory = directories.next()
    const store = await openKept(directory)
    await expect(FileStore.open(directory)).rejects.toThrow(`${directory} is in use by process ${process.pid}: one process per directory.`)
    expect(await say(store)).toMatchObject({ seq: 1 })
    await store.close()
    expect(readdirSync(directory).toSorted()).toEqual(['format', 'rooms'])
    await (await openKept(directory)).close()
  })

  it("of twenty that come at once has one at the most, and is nobody's afterwards", async () => {
    const directory = directories.next()
    for (let round = 0; round < 5; round++) {
      const came = await Promise.allSettled(Array.from({ length: 20 }, () => FileStore.open(directory)))
      const opened = came.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      expect(opened.length).toBeLessThanOrEqual(1)
      for (const store of opened) await store.close()
      await (await openKept(directory)).close()
    }
  })

  it('whose owner was killed is free at once, also where another process has its number by now', async () => {
    const directory = directories.next()
    mkdirSync(directory)
    const path = join(directory, `lock-${process.pid}-0123456789ab.sock`)
    const owner = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('listening'))`,
    ])
    onTestFinished(() => void owner.kill('SIGKILL'))
    await once(owner.stdout, 'data')
    await expect(FileStore.open(directory)).rejects.toThrow('is in use by process')
    // Stopped it holds the directory still.
    owner.kill('SIGSTOP')
    await expect(FileStore.open(directory)).rejects.toThrow('is in use by process')
    owner.kill('SIGKILL')
    await once(owner, 'exit')
    expect(existsSync(path)).toBe(true)
    const store = await openKept(directory)
    expect(existsSync(path)).toBe(false)
    await expect(FileStore.open(directory)).rejects.toThrow('is in use')
    await store.close()
  })

  it('may have a long path, which no socket could be named by', async () => {
    const directory = join(directories.next(), 'x'.repeat(120))
    const store = await openKept(directory)
    await expect(FileStore.open(directory)).rejects.toThrow('is in use')
    await store.close()
    await (await openKept(directory)).close()
  })

  it('is not held by who was taken for dead before it listened', async () => {
    const directory = directories.next()
    const listen = Reflect.get(Server.prototype, 'listen') as (this: Server, options: unknown) => Server
    const swept = vi.spyOn(Server.prototype, 'listen').mockImplementationOnce(function (this: Server, options?: unknown) {
      listen.call(this, options)
      rmSync((options as { path: string }).path)
      return this
    })
    onTestFinished(() => swept.mockRestore())
    await expect(FileStore.open(directory)).rejects.toThrow('is in use')
    await (await openKept(directory)).close()
  })

  it.runIf(process.platform === 'linux')('that is made is there after a crash: it is synced into all that it was made in', async () => {
    const path = join(realpathSync(mkdtempSync(join(tmpdir(), 'fourwires-'))), 'above', 'data')
    onTestFinished(() => rmSync(dirname(dirname(path)), { recursive: true }))
    const file = await openFile('/dev/null')
    const prototype = Object.getPrototypeOf(file) as typeof file
    await file.close()
    const sync: (this: typeof file) => Promise<void> = Reflect.get(prototype, 'sync')
    const synced: string[] = []
    const spy = vi.spyOn(prototype, 'sync').mockImplementation(function (this: typeof file) {
      synced.push(readlinkSync(`/proc/self/fd/${this.fd}`))
      return sync.call(this)
    })
    onTestFinished(() => spy.mockRestore())
    await (await openKept(path)).close()
    expect(synced.slice(0, 3)).toEqual([dirname(dirname(path)), dirname(path), path])
  })

  it('keeps a secret for nobody else to read, the same at every start', async () => {
    const directory = directories.next()
    const store = await openKept(directory)
    const secret = await store.sessionSecret()
    expect(secret).toMatch(/^[\w-]{43}$/)
    expect(statSync(join(directory, 'session-secret')).mode & 0o777).toBe(0o600)
    await store.close()
    expect(await (await openKept(directory)).sessionSecret()).toBe(secret)
    expect(await (await openKept(directories.next())).sessionSecret()).not.toBe(secret)
  })

  it('that is a file, or was made by another version, is refused and left as it is', async () => {
    const file = directories.next()
    writeFileSync(file, 'mine')
    await expect(FileStore.open(file)).rejects.toThrow(`${file} is not a directory.`)
    expect(readFileSync(file, 'utf8')).toBe('mine')
    const newer = directories.next()
    await (await openKept(newer)).close()
    writeFileSync(join(newer, 'format'), '2\n')
    await expect(FileStore.open(newer)).rejects.toThrow(`${newer} was made by another version: its format is "2", this one knows 1.`)
    expect(readdirSync(newer).toSorted()).toEqual(['format', 'rooms'])
  })

  it('has no file of ours for what is not ours: other files stay', async () => {
    const directory = directories.next()
    await (await openKept(directory)).close()
    writeFileSync(join(directory, 'rooms', 'notes.txt'), 'mine')
    for (const name of ['=1.jsonl', 'A.jsonl']) writeFileSync(join(directory, 'rooms', name), 'mine')
    symlinkSync('nowhere', fileOf(directory, 'link'))
    const store = await openKept(directory)
    expect(store.size.rooms).toBe(0)
    // Where there would be a file of ours there is one.
    expect(await say(store, 'hi', 'A')).toMatchObject({ seq: 1 })
    await store.close()
    expect(readdirSync(join(directory, 'rooms')).toSorted()).toEqual(['=1.jsonl', '=a.jsonl', 'A.jsonl', 'link.jsonl', 'notes.txt'])
  })
})
