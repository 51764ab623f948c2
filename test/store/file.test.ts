/** What a file store keeps over the end of its process, however that ends. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { parseCursor } from '../../src/protocol/cursor.ts'
import type { Ack, Cursor } from '../../src/protocol/message.ts'
import { FileStore } from '../../src/store/file.ts'
import { afterCrashAlone, ann, Directories, fileOf, linesOf, openKept, say, sayMany, sizeOf } from '../support/kept.ts'

const directories = new Directories()
const epochOf = (cursor: Cursor): string | undefined => parseCursor(cursor)?.epoch
const draftOf = (ack: Ack, text: string): { id: string; text: string } => ({ id: ack.id, text })

describe('file: after a crash', () => {
  it('every cursor reads what it read before: epoch, seqs, tags, messages, gaps, and the tag of oldest - 1', async () => {
    const directory = directories.next()
    const limits = { keepMessages: 5, dedupeIds: 8 }
    const store = await openKept(directory, { limits })
    const origin = (await store.read('lobby', undefined)).cursor
    const acks = await sayMany(store, 12)
    const again = await openKept(directories.afterCrash(directory), { limits })
    for (const since of [undefined, 'earliest', origin, ...acks.map(({ cursor }) => cursor)])
      expect(await again.read('lobby', since)).toEqual(await store.read('lobby', since))
    const floor = parseCursor(acks[6]?.cursor ?? '')
    expect(await again.read('lobby', `${floor?.epoch}.7.zzzzzz`)).toMatchObject({ gap: { reason: 'rollback' } })
    expect((await again.read('lobby', acks[6]?.cursor)).gap).toBeUndefined()
    // And it counts on.
    expect(await say(again)).toMatchObject({ seq: 13 })
  })

  it('the repeat of an id is recognised, whether its message is kept or not, and an older one is not', async () => {
    const directory = directories.next()
    const limits = { keepMessages: 2, dedupeIds: 4 }
    const store = await openKept(directory, { limits, compactBytes: 0 })
    const acks = await sayMany(store, 16)
    // Ids whose messages are gone have lines of their own once the file was written anew.
    await store.sweep()
    expect(linesOf(directory)).toHaveLength(1 + 2 + 2)
    for (const left of [directories.afterCrash(directory), directories.afterCrash(directory)]) {
      const again = await openKept(left, { limits })
      for (const ack of acks.slice(12)) {
        expect(await again.append('lobby', ann, draftOf(ack, `hi ${ack.seq}`))).toEqual({
          outcome: 'duplicate',
          ack: { ...ack, duplicate: true },
        })
        expect(await again.append('lobby', ann, draftOf(ack, 'another text'))).toEqual({ outcome: 'mismatch' })
      }
      expect(await again.append('lobby', ann, draftOf(acks[11] as Ack, 'hi 12'))).toMatchObject({ outcome: 'appended', ack: { seq: 17 } })
    }
  })

  it('an id that was used twice, long apart, is the one of its second message', async () => {
    const directory = directories.next()
    const limits = { dedupeIds: 2 }
    const store = await openKept(directory, { limits })
    await say(store, 'first', 'lobby', 'used-twice-1')
    await sayMany(store, 2)
    const second = await say(store, 'second', 'lobby', 'used-twice-1')
    const again = await openKept(directories.afterCrash(directory), { limits })
    expect(await again.append('lobby', ann, draftOf(second, 'second'))).toMatchObject({ outcome: 'duplicate', ack: { seq: 4 } })
  })

  it('a room that was only read has the epoch that its reader was given', async () => {
    const directory = directories.next()
    const { cursor } = await (await openKept(directory)).read('lobby', undefined)
    const again = await openKept(directories.afterCrash(directory))
    expect(await again.read('lobby', cursor)).toEqual({ messages: [], cursor })
  })

  it('a cleared room is empty, under the epoch of its clearing', async () => {
    const directory = directories.next()
    const store = await openKept(directory)
    await sayMany(store, 3)
    await store.clear('lobby')
    const { cursor } = await store.read('lobby', undefined)
    const again = await openKept(directories.afterCrash(directory))
    expect(await again.read('lobby', cursor)).toEqual({ messages: [], cursor })
    expect(await say(store)).toMatchObject({ seq: 1 })
  })

  it('rooms whose names differ in capitals only are two', async () => {
    const directory = directories.next()
    const store = await openKept(directory)
    for (const room of ['Lobby', 'lobby', 'LOBBY', 'a.b_c~d-1']) await say(store, room, room)
    const names = readdirSync(join(directory, 'rooms')).map((name) => name.toLowerCase())
    expect(new Set(names).size).toBe(4)
    const again = await openKept(directories.afterCrash(directory))
    for (const room of ['Lobby', 'lobby', 'LOBBY', 'a.b_c~d-1'])
      expect((await again.read(room, 'earliest')).messages).toMatchObject([{ text: room }])
  })
})

/** A file of five messages, and a directory in which each of many rooms is that file, spoilt in a way of its own. */
async function spoilt(ways: readonly Buffer[]): Promise<{ directory: string; acks: Ack[] }> {
  const directory = directories.next()
  const store = await openKept(directory)
  await store.close()
  for (const [index, bytes] of ways.entries()) writeFileSync(fileOf(directory, `room${index}`), bytes)
  return { directory, acks: original.acks }
}
const original = await (async () => {
  const directory = directories.next()
  const store = await FileStore.open(directory, { fsync: 'never' })
  const acks = await sayMany(store, 5, 'Grüße 🦊')
  await store.close()
  return { acks, lines: linesOf(directory), bytes: readFileSync(fileOf(directory)) }
})()

describe('file: a torn end', () => {
  const { bytes, lines, acks } = original
  const wholeAt = (end: number): number => {
    let count = 0
    for (let at = 0; count < lines.length && at + Buffer.byteLength(lines[count] ?? '') <= end; count++)
      at += Buffer.byteLength(lines[count] ?? '')
    return count - 1
  }

  it('at every byte of the last two lines, also with zeros or another line begun behind it, costs what was torn and nothing else', async () => {
    const begin = bytes.length - Buffer.byteLength(lines.slice(-2).join(''))
    const cuts = Array.from({ length: bytes.length - begin }, (_, index) => begin + index)
    const behind = ['', '\0'.repeat(1_000), '\0'.repeat(50) + '\n', 'x\n\0\n', `\0${'y'.repeat(1_000)}\n`, '{"seq":']
    const ways = cuts.flatMap((cut) => behind.map((tail) => ({ cut, file: Buffer.concat([bytes.subarray(0, cut), Buffer.from(tail)]) })))
    const { directory } = await spoilt(ways.map(({ file }) => file))
    const told = vi.fn<(sentence: string) => void>()
    const store = await openKept(directory, { told, limits: { rooms: 1e5 } })
    await Promise.all(ways.map((_, index) => store.read(`room${index}`, undefined)))
    for (const [index, { cut }] of ways.entries()) {
      const kept = wholeAt(cut)
      const cursor = acks[kept - 1]?.cursor ?? ''
      const room = `room${index}`
      expect([cut, await store.read(room, cursor)]).toEqual([cut, { messages: [], cursor }])
      // What is written next stands behind the whole lines, and is read again.
      if (index % 23 !== 0) continue
      const ack = await say(store, 'on', room)
      expect(ack.seq).toBe(kept + 1)
      const again = await openKept(afterCrashAlone(directories, directory, room))
      expect(await again.read(room, cursor)).toMatchObject({ messages: [{ seq: kept + 1, text: 'on' }], cursor: ack.cursor })
    }
    expect(told).not.toHaveBeenCalled()
  })
})

describe('file: damage', () => {
  const { bytes, lines, acks } = original
  const texts = ['Grüße 🦊 1', 'Grüße 🦊 2', 'Grüße 🦊 3', 'Grüße 🦊 4', 'Grüße 🦊 5']

  it('to any byte is never silent and never invents: what can be read is there in order, under an epoch that nobody knows', async () => {
    // But for the last, whose loss is a torn end.
    const ways = Array.from({ length: bytes.length - 1 }, (_, at) => {
      const file = Buffer.from(bytes)
      file[at] = (file[at] ?? 0) ^ 0x04
      return file
    })
    const { directory } = await spoilt(ways)
    const told: string[] = []
    const store = await openKept(directory, { told: (sentence) => told.push(sentence) })
    const batches = await Promise.all(ways.map((_, index) => store.read(`room${index}`, acks[0]?.cursor)))
    for (const [index, batch] of batches.entries()) {
      expect([index, batch.gap]).toEqual([index, { reason: 'epoch' }])
      expect(epochOf(batch.cursor)).not.toBe(epochOf(acks[0]?.cursor ?? ''))
      const found = batch.messages.map(({ text }) => text)
      // Two lines at the most: a byte that was their end.
      expect(found.length).toBeGreaterThanOrEqual(3)
      expect(found).toEqual(texts.filter((text) => found.includes(text)))
      expect(batch.messages.map(({ seq }) => seq)).toEqual(found.map((_, at) => at + 1))
    }
    expect(told).toHaveLength(ways.length)
    expect(told).toContainEqual(expect.stringMatching(/^room room0: its file is damaged/))
  })

  it('to whole lines is seen too: one missing, one twice, two exchanged, no beginning, nothing at all', async () => {
    const [origin = '', one = '', two = '', three = '', four = '', five = ''] = lines
    const ways = [
      [origin, one, three, four, five],
      [origin, one, two, two, three, four, five],
      [origin, two, one, three, four, five],
      [one, two, three, four, five],
      [origin, one, two, origin, one, two],
      [origin, one, '\0\n', two, three, four, five],
      [],
    ]
    const { directory } = await spoilt(ways.map((each) => Buffer.from(each.join(''))))
    const told = vi.fn<(sentence: string) => void>()
    const store = await openKept(directory, { told })
    for (const index of ways.keys()) expect((await store.read(`room${index}`, acks[0]?.cursor)).gap).toEqual({ reason: 'epoch' })
    expect(told).toHaveBeenCalledTimes(ways.length)
  })

  it('is told once: the file is whole again, and keeps the epoch it was given', async () => {
    const file = Buffer.from(bytes)
    file.write('x', lines.slice(0, 2).join('').length)
    const { directory } = await spoilt([file])
    const store = await openKept(directory)
    const { cursor } = await store.read('room0', undefined)
    const told = vi.fn<(sentence: string) => void>()
    const again = await openKept(directories.afterCrash(directory), { told })
    expect(await again.read('room0', cursor)).toEqual({ messages: [], cursor })
    expect(told).not.toHaveBeenCalled()
  })

  it('to the beginning leaves no id at the place of another message: what is kept counts on from the last of the ids', async () => {
    const directory = directories.next()
    const limits = { keepMessages: 2, dedupeIds: 4 }
    const store = await openKept(directory, { limits, compactBytes: 0 })
    const said = await sayMany(store, 16)
    await store.close()
    const [, ...rest] = linesOf(directory)
    writeFileSync(fileOf(directory), ['spoilt\n', ...rest].join(''))
    const again = await openKept(directory, { limits })
    const { messages } = await again.read('lobby', 'earliest')
    expect(messages.map(({ text }) => text)).toEqual(['hi 15', 'hi 16'])
    for (const ack of said.slice(12)) {
      const found = await again.find('lobby', ann, draftOf(ack, `hi ${ack.seq}`))
      const seq = found?.outcome === 'duplicate' ? found.ack.seq : 0
      // Its own message, or one that is not kept any more.
      expect(messages.find((message) => message.seq === seq)?.id ?? ack.id).toBe(ack.id)
      expect(seq).toBeLessThanOrEqual(messages.at(-1)?.seq ?? 0)
    }
  })

  it('to one room is nothing to another', async () => {
    const { directory } = await spoilt([Buffer.from('nonsense\n'), bytes])
    const store = await openKept(directory)
    expect((await store.read('room0', undefined)).messages).toEqual([])
    expect((await store.read('room1', acks[4]?.cursor)).gap).toBeUndefined()
  })
})

describe('file: compaction', () => {
  const limits = { keepMessages: 10, dedupeIds: 20 }
  const text = 'x'.repeat(500)

  it('keeps a file within what lives in it, and says the same', async () => {
    const directory = directories.next()
    const store = await openKept(directory, { limits, compactBytes: 2_000 })
    const acks: Ack[] = []
    let most = 0
    for (let said = 0; said < 300; said++) {
      acks.push(await say(store, text))
      most = Math.max(most, sizeOf(directory))
    }
    // Ten messages and ten ids live; twice that may be dead, and the last batch.
    expect(most).toBeLessThan(3 * (10 * 800 + 10 * 200) + 2_000)
    const again = await openKept(directories.afterCrash(directory), { limits })
    for (const ack of acks.slice(-15)) {
      expect(await again.read('lobby', ack.cursor)).toEqual(await store.read('lobby', ack.cursor))
      expect(await again.find('lobby', ann, { id: ack.id, text })).toEqual(await store.find('lobby', ann, { id: ack.id, text }))
    }
  })

  it('that a crash ends at any point changes nothing: the file is the old one or the new one', async () => {
    const directory = directories.next()
    const store = await openKept(directory, { limits, compactBytes: 1e9 })
    const acks: Ack[] = []
    for (let said = 0; said < 30; said++) acks.push(await say(store, text))
    await store.close()
    const old = directories.afterCrash(directory)
    await (async () => {
      const compacting = await openKept(directory, { limits, compactBytes: 0 })
      await compacting.read('lobby', undefined)
      await compacting.sweep()
      await compacting.close()
    })()
    expect(sizeOf(directory)).toBeLessThan(sizeOf(old) / 2)
    const rewritten = readFileSync(fileOf(directory))
    const crashes = [0, 1, 100, 2_000, rewritten.length - 1, rewritten.length].map((written) => {
      const left = directories.afterCrash(old)
      writeFileSync(`${fileOf(left)}.new`, rewritten.subarray(0, written))
      return left
    })
    const expected = await openKept(old, { limits })
    for (const left of [...crashes, directories.afterCrash(directory)]) {
      const again = await openKept(left, { limits })
      expect(readdirSync(join(left, 'rooms'))).toEqual(['lobby.jsonl'])
      for (const { cursor } of acks.slice(15)) expect(await again.read('lobby', cursor)).toEqual(await expected.read('lobby', cursor))
      expect(await again.append('lobby', ann, { id: acks[12]?.id ?? '', text })).toEqual({
        outcome: 'duplicate',
        ack: { ...acks[12], duplicate: true },
      })
      expect(await say(again)).toMatchObject({ seq: 31 })
    }
  })

  it('of one room holds up no other, and one that fails costs nothing', async () => {
    const directory = directories.next()
    const told = vi.fn<(sentence: string) => void>()
    const store = await openKept(directory, { limits, compactBytes: 0, told })
    await say(store, 'hi', 'large')
    // Its writing is held until somebody reads, and cannot be synced then.
    const held = `${fileOf(directory, 'large')}.new`
    execFileSync('mkfifo', [held])
    let written = false
    const writing = sayMany(store, 60, text, 'large').then(() => (written = true))
    expect((await sayMany(store, 80, 'hi', 'small')).at(-1)).toMatchObject({ seq: 80 })
    // The room itself is read all the while.
    expect((await store.read('large', 'earliest')).messages).toHaveLength(10)
    expect([written, told.mock.calls]).toEqual([false, []])
    await readFile(held)
    await writing
    expect(told).toHaveBeenCalledOnce()
    expect(told.mock.calls[0]?.[0]).toMatch(/^a room's file could not be compacted: /)
    const again = await openKept(directories.afterCrash(directory), { limits })
    expect(await again.read('large', 'earliest')).toEqual(await store.read('large', 'earliest'))
  })
})

describe('file: time', () => {
  /** Time that was made to pass has begun one, perhaps before it had passed. */
  const sweepNow = async (store: FileStore): Promise<void> => {
    await store.sweep()
    await store.sweep()
  }
  const passFrom = (wall: number): ((seconds: number) => void) => {
    vi.useFakeTimers({ toFake: ['performance', 'Date', 'setInterval', 'clearInterval'], now: wall })
    onTestFinished(() => void vi.useRealTimers())
    return (seconds) => void vi.advanceTimersByTime(seconds * 1000)
  }

  it('goes on while there is no process: messages, ids and rooms age by the wall clock', async () => {
    const pass = passFrom(1_763_683_200_000)
    const directory = directories.next()
    const store = await openKept(directory)
    const ack = await say(store)
    await store.close()
    const begin = directories.afterCrash(directory)
    const after = async (seconds: number): Promise<Awaited<ReturnType<typeof openKept>>> => {
      pass(seconds)
      const left = directories.afterCrash(begin)
      // Copying is no writing.
      const { mtime } = statSync(fileOf(directory))
      utimesSync(fileOf(left), mtime, mtime)
      return openKept(left)
    }
    utimesSync(fileOf(directory), Date.now() / 1000, Date.now() / 1000)
    const soon = await after(599)
    expect(await soon.append('lobby', ann, draftOf(ack, 'hi'))).toMatchObject({ outcome: 'duplicate' })
    const later = await after(2)
    expect(await later.append('lobby', ann, draftOf(ack, 'hi'))).toMatchObject({ outcome: 'appended', ack: { seq: 2 } })
    const old = await after(3_000)
    expect(await old.read('lobby', ack.cursor)).toEqual({ messages: [], cursor: ack.cursor })
    const next = await after(24 * 3600 - 3_602)
    await next.sweep()
    expect(await next.has('lobby')).toBe(true)
    const last = await after(10)
    await last.sweep()
    expect(await last.has('lobby')).toBe(false)
    expect((await last.read('lobby', ack.cursor)).gap).toEqual({ reason: 'epoch' })
  })

  it('that jumps ages nothing within a run, and nothing from the future is older than now', async () => {
    passFrom(1_763_683_200_000)
    const directory = directories.next()
    const store = await openKept(directory)
    const ack = await say(store)
    for (const jump of [365 * 24 * 3600_000, -2 * 365 * 24 * 3600_000]) {
      vi.setSystemTime(Date.now() + jump)
      await store.sweep()
      expect((await store.read('lobby', 'earliest')).messages).toHaveLength(1)
      expect(await store.append('lobby', ann, draftOf(ack, 'hi'))).toMatchObject({ outcome: 'duplicate' })
    }
    const again = await openKept(directories.afterCrash(directory))
    expect((await again.read('lobby', 'earliest')).messages).toHaveLength(1)
  })

  it('takes away a room with its file a day after its last message, and one never written to minutes after its last reader', async () => {
    const pass = passFrom(1_763_683_200_000)
    const directory = directories.next()
    const store = await openKept(directory)
    await say(store)
    await store.read('empty', undefined)
    // A file is as old as its last message, whenever it was written.
    expect(statSync(fileOf(directory, 'empty')).mtimeMs).toBe(1_763_683_200_000)
    pass(301)
    await sweepNow(store)
    expect([await store.has('empty'), await store.has('lobby')]).toEqual([false, true])
    await vi.waitFor(() => expect(existsSync(fileOf(directory, 'empty'))).toBe(false))
    pass(24 * 3600)
    await sweepNow(store)
    expect(await store.has('lobby')).toBe(false)
    // Who comes while the file is being removed finds another room, and its file stays.
    const { cursor } = await store.read('lobby', undefined)
    expect(await (await openKept(directories.afterCrash(directory))).read('lobby', cursor)).toEqual({ messages: [], cursor })
  })
})

describe('file: limits', () => {
  it('count the rooms of an earlier process, also before somebody asks for them', async () => {
    const directory = directories.next()
    const store = await openKept(directory)
    for (const room of ['one', 'two', 'three']) await say(store, 'hi', room)
    await store.close()
    const again = await openKept(directory, { limits: { rooms: 3 } })
    expect(again.size).toEqual({ bytes: 0, rooms: 3 })
    await expect(again.append('four', ann, { id: 'c1f09b2e', text: 'hi' })).rejects.toMatchObject({ code: 'room-limit' })
    expect(await again.has('one')).toBe(true)
    expect(await say(again, 'hi', 'two')).toMatchObject({ seq: 2 })
  })

  it('on the bytes of all rooms are made room for by the longest idle, also where nobody has asked for it', async () => {
    const directory = directories.next()
    const store = await openKept(directory)
    const text = 'x'.repeat(1_000)
    const acks: Ack[] = []
    for (const room of ['first', 'second']) for (let said = 0; said < 20; said++) acks.push(await say(store, text, room))
    await store.close()
    utimesSync(fileOf(directory, 'first'), Date.now() / 1000 - 60, Date.now() / 1000 - 60)
    const limits = { totalBytes: 45_000 }
    const again = await openKept(directory, { limits, compactBytes: 0 })
    for (let said = 0; said < 10; said++) await say(again, text, 'third')
    // It is enough that it gives way: the second is not even looked at.
    expect(again.size.bytes).toBeLessThan(30_000)
    // First it is looked for, then its file is written anew.
    await again.sweep()
    await again.sweep()
    expect(sizeOf(directory, 'first')).toBeLessThan(15 * 1_200)
    const kept = async (room: string): Promise<number> => (await again.read(room, 'earliest')).messages.length
    expect(await kept('first')).toBeLessThan(15)
    expect([await kept('second'), await kept('third')]).toEqual([20, 10])
    expect(again.size.bytes).toBeLessThanOrEqual(45_000)
    const { gap } = await again.read('first', acks[0]?.cursor)
    expect(gap?.reason).toBe('trimmed')
  })
})

it('file: a room that cannot be read fails alone: others go when their time has come, and it is told once', async () => {
  const directory = directories.next()
  const store = await openKept(directory)
  for (const room of ['a-broken', 'b-empty']) await store.read(room, undefined)
  await store.close()
  rmSync(fileOf(directory, 'a-broken'))
  symlinkSync('/proc/self/mem', fileOf(directory, 'a-broken'))
  // Later than the other: looked for behind it.
  utimesSync(fileOf(directory, 'b-empty'), Date.now() / 1000 + 60, Date.now() / 1000 + 60)
  const told = vi.fn<(sentence: string) => void>()
  const again = await openKept(directory, { limits: { emptySeconds: 0.001 }, told })
  await vi.waitFor(async () => {
    await again.sweep()
    expect(await again.has('b-empty')).toBe(false)
  })
  await expect(again.read('a-broken', undefined)).rejects.toThrow()
  expect(told.mock.calls.flat()).toEqual([expect.stringMatching(/^room a-broken: its file cannot be read: /)])
})

it('file: a file copied over another room is that room, epoch and all: nothing in it names its room', async () => {
  const directory = directories.next()
  const store = await openKept(directory)
  const [ack] = await sayMany(store, 1)
  await store.close()
  copyFileSync(fileOf(directory), fileOf(directory, 'copy'))
  expect((await (await openKept(directory)).read('copy', ack?.cursor)).gap).toBeUndefined()
})
