/** What Redis may do to a room and what is made of it: each test has a real server, most one of its own. */
import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { parseCursor } from '../../src/protocol/cursor.ts'
import type { Ack, Batch, Cursor, Member } from '../../src/protocol/message.ts'
import type { ConnectionOptions } from '../../src/store/redis/connection.ts'
import { RedisStore } from '../../src/store/redis.ts'
import type { StoreLimits } from '../../src/store/store.ts'
import { startDoor } from '../support/door.ts'
import { RedisServer, type RedisServerOptions } from '../support/redis.ts'
import { sharedRedis } from '../support/shared-redis.ts'

const ann: Member = { id: 'm_annannann', name: 'Ann' }
const room = 'lobby'
const patience = { interval: 10, timeout: 10_000 }
const seqs = ({ messages }: Batch): number[] => messages.map(({ seq }) => seq)
const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, index) => first + index)

async function start(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await RedisServer.start(options)
  onTestFinished(() => server.stop())
  return server
}
async function open(url: string, limits: Partial<StoreLimits> = {}, options: ConnectionOptions = {}): Promise<RedisStore> {
  const store = await RedisStore.open(url, limits, options)
  onTestFinished(() => store.close())
  return store
}
const idOf = (text: string): string => `draft-${text.padStart(6, '0')}`
async function say(store: RedisStore, text: string, to = room): Promise<Ack> {
  const appended = await store.append(to, ann, { id: idOf(text), text })
  if (appended.outcome === 'mismatch') throw new Error('the id was taken')
  return appended.ack
}
async function sayMany(store: RedisStore, last: number, first = 1): Promise<Cursor[]> {
  const cursors: Cursor[] = []
  for (const n of upTo(last, first)) cursors.push((await say(store, `${n}`)).cursor)
  return cursors
}
/** Asks until it is answered: what a client does. */
const persistently = <T>(ask: () => Promise<T>): Promise<T> => vi.waitFor(ask, patience)
/** Everything after a cursor, batch by batch. */
async function readAll(store: RedisStore, since: Cursor | 'earliest'): Promise<Batch['messages']> {
  const batch = await store.read(room, since)
  expect(batch.gap).toBeUndefined()
  return batch.more ? [...batch.messages, ...(await readAll(store, batch.cursor))] : batch.messages
}

describe('redis: a server that dies', () => {
  it('and comes back with its file has every acknowledged message once, in the same log', async () => {
    const server = await start({ aof: true })
    const store = await open(server.url)
    const { cursor } = await store.read(room, undefined)
    const acked: Ack[] = []
    let failures = 0
    let dying: Promise<void> | undefined
    const writers = upTo(8).map(async (writer) => {
      for (let n = 0; n < 50; n++) {
        const ack = await persistently(() =>
          say(store, `${writer}-${n}`).catch((error: unknown) => {
            failures++
            throw error
          }),
        )
        acked.push(ack)
        if (acked.length === 150) dying = server.restart()
      }
    })
    await Promise.all(writers)
    await dying
    expect(failures).toBeGreaterThan(0)
    const messages = await readAll(store, cursor)
    expect(messages.map(({ seq }) => seq)).toEqual(upTo(400))
    expect(new Set(messages.map(({ id }) => id)).size).toBe(400)
    for (const { seq, id } of acked) expect(messages[seq - 1]?.id).toBe(id)
  })

  it('and comes back empty tells the gap "epoch", and goes on: its functions are loaded again', async () => {
    const server = await start()
    const store = await open(server.url)
    const [, , last] = await sayMany(store, 3)
    const woken = vi.fn()
    await store.watch(room, woken)
    await server.restart()
    const batch = await persistently(() => store.read(room, last))
    expect(batch).toMatchObject({ messages: [], gap: { reason: 'epoch' } })
    expect(await say(store, 'again')).toMatchObject({ seq: 1 })
    await vi.waitFor(() => expect(woken).toHaveBeenCalled(), patience)
    expect(seqs(await store.read(room, batch.cursor))).toEqual([1])
  })

  it('and has lost its functions alone is given them again within the call', async () => {
    const server = await start()
    const store = await open(server.url)
    await say(store, '1')
    await server.client.function('FLUSH')
    expect(await say(store, '2')).toMatchObject({ seq: 2 })
    await server.client.function('FLUSH')
    expect(seqs(await store.read(room, 'earliest'))).toEqual([1, 2])
  })

  it('and is given its functions once for all that was under way, not once for each', async () => {
    const server = await start()
    const store = await open(server.url)
    await sayMany(store, 1)
    await server.client.function('FLUSH')
    await server.client.config('RESETSTAT')
    const said = await Promise.all(upTo(300, 2).map((n) => say(store, `${n}`)))
    expect(said.map(({ seq }) => seq).toSorted((a, b) => a - b)).toEqual(upTo(300, 2))
    const [, loads] = /cmdstat_function\|load:calls=(\d+)/.exec(await server.client.info('commandstats')) ?? []
    expect(Number(loads)).toBeLessThan(10)
  })

  it('and comes back as it was once, and uses its numbers again, never passes over it in silence', async () => {
    const server = await start()
    const store = await open(server.url)
    const kept = await sayMany(store, 10)
    await server.client.save()
    const lost = await sayMany(store, 15, 11)
    await server.restart()
    const ahead = await persistently(() => store.read(room, lost[4]))
    expect(ahead).toMatchObject({ gap: { reason: 'ahead' } })
    expect(seqs(ahead)).toEqual(upTo(10))
    const anew = await Promise.all(upTo(8).map((n) => say(store, `anew-${n}`)))
    expect(anew.map(({ seq }) => seq).toSorted((a, b) => a - b)).toEqual(upTo(18, 11))
    for (const cursor of lost) {
      const batch = await store.read(room, cursor)
      expect(batch).toMatchObject({ gap: { reason: 'rollback' } })
      expect(seqs(batch)).toEqual(upTo(18))
    }
    for (const [index, cursor] of kept.entries()) expect((await readAll(store, cursor)).map(({ seq }) => seq)).toEqual(upTo(18, index + 2))
    // Said again by its author, whose acknowledgement is worth nothing any more.
    expect(await say(store, '15')).toMatchObject({ seq: 19, duplicate: false })
  })
})

describe('redis: a replica that takes over', () => {
  it('is found by who is told READONLY, and what it had not heard of is a gap', async () => {
    const config = { 'repl-diskless-sync-delay': '0' }
    const [first, second] = await Promise.all([start({ config }), start({ config })])
    await second.client.replicaof('127.0.0.1', first.port)
    await using door = await startDoor(first.port)
    const store = await open(`redis://127.0.0.1:${door.port}`)
    const heard = await sayMany(store, 3)
    await vi.waitFor(async () => expect(await second.client.info('replication')).toMatch(/master_link_status:up/), patience)
    await vi.waitFor(async () => expect(await second.client.xlen(`fourwires:{${room}}:log`)).toBe(3), patience)
    await second.client.replicaof('NO', 'ONE')
    const unheard = await sayMany(store, 5, 4)
    // The connection stays where it was: only the answer says that it is the wrong one now.
    await first.client.replicaof('127.0.0.1', second.port)
    door.to = second.port
    await expect(say(store, 'refused')).rejects.toThrow(/READONLY/)
    expect(await persistently(() => say(store, 'taken'))).toMatchObject({ seq: 4, duplicate: false })
    expect(seqs(await store.read(room, heard[2]))).toEqual([4])
    expect(await store.read(room, unheard[0])).toMatchObject({ gap: { reason: 'rollback' } })
    expect(await store.read(room, unheard[1])).toMatchObject({ gap: { reason: 'ahead' } })
  })
})

describe('redis: a server that does not answer', () => {
  it('is not asked more and more: calls fail at once after the first was late, and it goes on where it stopped', async () => {
    const server = await start()
    const store = await open(server.url, {}, { timeoutMs: 300 })
    await sayMany(store, 2)
    await server.client.config('RESETSTAT')
    server.freeze()
    onTestFinished(() => server.thaw())
    await expect(say(store, '3')).rejects.toThrow(/answered nothing/)
    for (const n of upTo(500, 4)) await expect(say(store, `${n}`)).rejects.toThrow(/answered nothing/)
    await expect(store.read(room, 'earliest')).rejects.toThrow()
    server.thaw()
    // The one that was under way has happened: its author asks again, and hears of it.
    expect(await persistently(() => say(store, '3'))).toMatchObject({ seq: 3 })
    expect(await say(store, '600')).toMatchObject({ seq: 4 })
    const [, calls] = /cmdstat_fcall:calls=(\d+)/.exec(await server.client.info('commandstats')) ?? []
    expect(Number(calls)).toBeLessThan(20)
  })

  it('and did what it was asked, its answer lost: the repeat is found, and nothing is kept twice', async () => {
    const server = await start()
    await using door = await startDoor(server.port)
    const store = await open(`redis://127.0.0.1:${door.port}`, {}, { timeoutMs: 500 })
    await sayMany(store, 2)
    door.mute = true
    await expect(say(store, 'lost')).rejects.toThrow()
    door.mute = false
    door.cut()
    expect(await persistently(() => say(store, 'lost'))).toMatchObject({ seq: 3, duplicate: true })
    expect((await store.read(room, 'earliest')).messages.map(({ text }) => text)).toEqual(['1', '2', 'lost'])
  })
})

describe('redis: hints that are lost', () => {
  it('cost nothing but time: with every listening connection cut, again and again, each watcher hears of each head', async () => {
    const server = await start()
    const [writer, reader] = await Promise.all([open(server.url), open(server.url)])
    let seen = 0
    await reader.watch(room, (head) => (seen = Math.max(seen, parseCursor(head)?.seq ?? 0)))
    const channel = `fourwires:{${room}}:told`
    for (const seq of [1, 2]) {
      await server.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await say(writer, `${seq}`)
      await vi.waitFor(() => expect(seen).toBe(seq), patience)
    }
    // And it listens again.
    await vi.waitFor(async () => expect(await server.client.call('PUBSUB', 'SHARDNUMSUB', channel)).toEqual([channel, 1]), patience)
  })

  it('are no more than hints: who may not listen at all is told by looking, of every room it watches', async () => {
    const server = await start()
    await server.client.acl('SETUSER', 'default', '-ssubscribe')
    const [writer, reader] = await Promise.all([open(server.url), open(server.url)])
    const woken = new Set<string>()
    const names = upTo(1200).map((n) => `room-${n}`)
    await Promise.all(names.map((name) => reader.watch(name, () => woken.add(name))))
    const spoken = names.filter((_, index) => index % 100 === 7)
    await Promise.all(spoken.map((name) => say(writer, 'hi', name)))
    await vi.waitFor(() => expect(woken.size).toBeGreaterThanOrEqual(spoken.length), patience)
    expect([...woken].toSorted()).toEqual(spoken.toSorted())
  })
})

describe('redis: a server in trouble', () => {
  it('without memory refuses what is said, and shows what was: nothing is lost, and it goes on', async () => {
    const server = await start()
    const store = await open(server.url)
    await sayMany(store, 3)
    await server.client.config('SET', 'maxmemory', '1')
    await expect(say(store, '4')).rejects.toThrow(/OOM/)
    expect(seqs(await store.read(room, 'earliest'))).toEqual([1, 2, 3])
    await server.client.config('SET', 'maxmemory', '0')
    expect(await say(store, '4')).toMatchObject({ seq: 4, duplicate: false })
  })

  it.each(['meta', 'log', 'ids', 'queue'])(
    'that let go of a room\'s %s has another room there: the gap "epoch", and no hole',
    async (part) => {
      const store = await redis.open({}, `evicted-${part}`)
      onTestFinished(() => store.close())
      const [, , last] = await sayMany(store, 3)
      await redis.server.client.unlink(`evicted-${part}:{${room}}:${part}`)
      expect(await say(store, '4')).toMatchObject({ seq: 1, duplicate: false })
      const batch = await store.read(room, last)
      expect(batch).toMatchObject({ messages: [{ seq: 1, text: '4' }], gap: { reason: 'epoch' } })
    },
  )

  it('that let go of a log is found out by its readers too', async () => {
    const store = await redis.open({}, 'evicted')
    onTestFinished(() => store.close())
    const [first] = await sayMany(store, 3)
    await redis.server.client.unlink(`evicted:{${room}}:log`)
    expect(await store.read(room, first)).toMatchObject({ messages: [], gap: { reason: 'epoch' } })
  })

  it('that is still loading, or busy with a script, fails calls and no process, and then goes on', async () => {
    const server = await start({ config: { 'busy-reply-threshold': '20' } })
    const store = await open(server.url)
    await sayMany(store, 20)
    const script = server.connect()
    await Promise.all([script.ping(), server.client.ping()])
    const busy = script.eval('while true do end', 0).catch((error: Error) => error.message)
    await vi.waitFor(() => expect(say(store, 'busy')).rejects.toThrow(/BUSY/), patience)
    await server.client.script('KILL')
    expect(await busy).toMatch(/killed/i)
    expect(await persistently(() => say(store, 'free'))).toMatchObject({ duplicate: false })
    await server.client.save()
    await server.kill()
    await server.begin({ ready: false, config: { 'key-load-delay': '200000' } })
    await expect(say(store, 'loading')).rejects.toThrow()
    const last = await persistently(() => say(store, 'loading'))
    expect((await readAll(store, 'earliest')).map(({ seq }) => seq)).toEqual(upTo(last.seq))
    expect(last).toMatchObject({ duplicate: false })
    expect(last.seq).toBeGreaterThan(21)
  })
})

describe('redis: what is not ours in a place of ours', () => {
  it.each(['meta', 'log', 'ids', 'queue'])("as a room's %s fails that room alone, and those who watch others are told", async (part) => {
    const prefix = `foreign-${part}`
    // Without hints: whoever is told has looked.
    await redis.server.client.acl('SETUSER', 'default', '-ssubscribe')
    onTestFinished(async () => void (await redis.server.client.acl('SETUSER', 'default', '+ssubscribe')))
    const store = await redis.open({}, prefix)
    onTestFinished(() => store.close())
    await say(store, '1')
    const woken = vi.fn()
    await store.watch(room, () => {})
    await store.watch('elsewhere', woken)
    await redis.server.client.set(`${prefix}:{${room}}:${part}`, 'hostile')
    await expect(say(store, '2')).rejects.toThrow(/WRONGTYPE/)
    if (part === 'meta' || part === 'log') await expect(store.read(room, 'earliest')).rejects.toThrow(/WRONGTYPE/)
    const other = await redis.open({}, prefix)
    onTestFinished(() => other.close())
    expect(await say(other, '1', 'elsewhere')).toMatchObject({ seq: 1 })
    await vi.waitFor(() => expect(woken).toHaveBeenCalled(), patience)
    // Nobody's data is thrown away by us.
    expect(await redis.server.client.get(`${prefix}:{${room}}:${part}`)).toBe('hostile')
  })

  it.each([
    ['head', 'not a number'],
    ['head', '-1'],
    ['head', '1e999'],
    ['floor', 'nan'],
    ['bytes', ''],
    ['tag', '\u0000'],
  ])('as its %s %j is an error or a gap of that room, never a wrong message', async (field, value) => {
    const prefix = `hostile-${field}-${value.length}`
    const store = await redis.open({}, prefix)
    onTestFinished(() => store.close())
    const [first] = await sayMany(store, 3)
    await redis.server.client.hset(`${prefix}:{${room}}:meta`, field, value)
    const read = await store.read(room, first).catch(() => undefined)
    if (read?.gap === undefined && read !== undefined) expect(seqs(read)).toEqual([2, 3])
    expect(await say(store, '1', 'elsewhere')).toMatchObject({ seq: 1 })
  })

  it('as an entry of its log is a room that begins again, and never a hole', async () => {
    const store = await redis.open({}, 'hole')
    onTestFinished(() => store.close())
    const [first] = await sayMany(store, 5)
    const log = `hole:{${room}}:log`
    await redis.server.client.xdel(log, '3-0')
    expect(await store.read(room, first)).toMatchObject({ gap: { reason: 'epoch' } })
    await sayMany(store, 5)
    await redis.server.client.xdel(log, '3-0')
    await redis.server.client.xadd(log, '9-0', 'm', 'm', 'a', 'a', 'i', 'i', 'x', 'x', 't', '9999999999999', 'g', 'g', 'b', '9')
    await expect(store.read(room, 'earliest')).rejects.toThrow(/4-0 in the place of 3/)
  })
})

describe('redis: time', () => {
  /** A process that says three things in a room, one of them said before, and shows what it sees there. */
  const contents = `
    import { RedisStore } from '../../src/store/redis.ts'
    const main = async ([url = '', prefix = '', id = '']) => {
      const store = await RedisStore.open(url, { keepSeconds: 60, dedupeSeconds: 60 }, { prefix })
      for (const n of [1, 2]) await store.append('${room}', { id, name: id }, { id: 'elsewhere-' + n, text: id })
      await store.append('${room}', ${JSON.stringify(ann)}, { id: '${idOf('1')}', text: '1' })
      console.log(JSON.stringify({ now: Date.now(), batch: await store.read('${room}', 'earliest') }))
      await store.close()
    }
    void main(process.argv.slice(2))`
  /** Runs it with a clock that is off, as faketime(1) spells it. */
  const elsewhere = async (script: string, off: string): Promise<{ now: number; batch: Batch }> => {
    const { stdout } = await promisify(execFile)('faketime', [
      '-f',
      off,
      process.execPath,
      script,
      redis.server.url,
      'time',
      `m_is_off${off}`,
    ])
    return JSON.parse(stdout) as { now: number; batch: Batch }
  }

  it('is that of Redis: processes an hour apart see the same, none trims, none forgets, and each message is dated by it', async () => {
    const store = await redis.open({ keepSeconds: 60, dedupeSeconds: 60 }, 'time')
    onTestFinished(() => store.close())
    await sayMany(store, 3)
    const outfile = join(redis.server.directory, 'elsewhere.cjs')
    await build({
      stdin: { contents, resolveDir: import.meta.dirname, loader: 'ts' },
      bundle: true,
      platform: 'node',
      outfile,
      logLevel: 'error',
    })
    const ahead = await elsewhere(outfile, '+1h')
    const behind = await elsewhere(outfile, '-1h')
    expect(ahead.now - behind.now).toBeGreaterThan(7_000_000)
    const batch = await store.read(room, 'earliest')
    expect(seqs(batch)).toEqual(upTo(7))
    expect(behind.batch).toEqual(batch)
    expect(ahead.batch.messages).toEqual(batch.messages.slice(0, 5))
    const [seconds = '0'] = await redis.server.client.time()
    for (const { at } of batch.messages) expect(Math.abs(at - Number(seconds) * 1000)).toBeLessThan(60_000)
  })
})

describe('redis: a room', () => {
  const keysOf = async (prefix: string): Promise<number[]> => {
    const keys = await redis.server.client.keys(`${prefix}:{*`)
    return Promise.all(keys.map((key) => redis.server.client.pexpiretime(key)))
  }

  it('goes a day after its last message, all of its keys at once', async () => {
    const store = await redis.open({ keepMessages: 2, dedupeIds: 3 }, 'day')
    onTestFinished(() => store.close())
    const day = 24 * 3600_000
    const before = Date.now()
    for (const n of upTo(6)) {
      await say(store, `${n}`)
      const ends = await keysOf('day')
      expect(ends).toHaveLength(4)
      expect(new Set(ends).size).toBe(1)
      expect(ends[0]).toBeGreaterThanOrEqual(before + day)
      expect(ends[0]).toBeLessThan(before + day + day / 32)
    }
    expect(await redis.server.client.pttl('day:rooms')).toBeGreaterThan(day - 60_000)
  })

  it('whose limits are far exceeded is trimmed in few steps: Redis does nothing else meanwhile', async () => {
    const [large, small] = [await redis.open({}, 'steps'), await redis.open({ keepMessages: 10, dedupeIds: 20 }, 'steps')]
    onTestFinished(async () => void (await Promise.all([large.close(), small.close()])))
    await Promise.all(upTo(1_000).map((n) => say(large, `${n}`)))
    await redis.server.client.config('RESETSTAT')
    expect(await say(small, '1001')).toMatchObject({ seq: 1_001 })
    const calls = [...(await redis.server.client.info('commandstats')).matchAll(/:calls=(\d+)/g)]
    expect(calls.reduce((sum, [, count]) => sum + Number(count), 0)).toBeLessThan(100)
    expect(seqs(await small.read(room, 'earliest'))).toEqual(upTo(1_001, 992))
    const kept = await Promise.all([981, 982].map((n) => small.find(room, ann, { id: idOf(`${n}`), text: `${n}` })))
    expect(kept.map((found) => found?.outcome)).toEqual([undefined, 'duplicate'])
  })

  it('never keeps a key without an end, whatever is said, read, trimmed and cleared', async () => {
    const store = await redis.open({ keepSeconds: 0.05, dedupeSeconds: 0.1, idleSeconds: 60, emptySeconds: 120 }, 'ends')
    onTestFinished(() => store.close())
    for (const n of upTo(12)) {
      await store.read(room, undefined)
      await say(store, `${n}`)
      if (n % 3 === 0) await pause(120)
      if (n % 5 === 0) await store.clear(room)
      await store.read(room, 'earliest')
      for (const end of await keysOf('ends')) expect(end).toBeGreaterThan(0)
    }
    await pause(120)
    await store.read(room, 'earliest')
    expect(await redis.server.client.hget(`ends:{${room}}:meta`, 'bytes')).toBe('0')
  })

  it('that is gone comes back as another, and stays while it is watched', async () => {
    const store = await redis.open({ idleSeconds: 0.2, emptySeconds: 0.2 }, 'gone')
    onTestFinished(() => store.close())
    const { cursor } = await say(store, '1')
    await vi.waitFor(async () => expect(await store.has(room)).toBe(false), patience)
    expect(await store.read(room, cursor)).toMatchObject({ messages: [], gap: { reason: 'epoch' } })
    await store.watch('watched', () => {})
    await pause(500)
    expect(await store.has('watched')).toBe(true)
    // For as long as it is watched this is put off, by nobody who asks.
    await redis.server.client.pexpire('gone:{watched}:meta', 8_000)
    await vi.waitFor(async () => expect(await redis.server.client.pttl('gone:{watched}:meta')).toBeGreaterThan(100_000), patience)
  })

  it('that begins again while somebody is in it stays as long as it would have, however short its idle time', async () => {
    const store = await redis.open({ idleSeconds: 0.2 }, 'anew')
    onTestFinished(() => store.close())
    await store.watch(room, () => {})
    for (const begins of [
      () => store.clear(room),
      async () => {
        await say(store, '1')
        await redis.server.client.unlink(`anew:{${room}}:log`)
        await say(store, '2')
      },
    ]) {
      await begins()
      const ends = await keysOf('anew')
      expect(new Set(ends).size).toBe(1)
      expect((ends[0] ?? 0) - Date.now()).toBeGreaterThan(100_000)
    }
    expect((await store.read(room, 'earliest')).messages.map(({ text }) => text)).toEqual(['2'])
    // Where something else has its place it is cleared all the same.
    await redis.server.client.set(`anew:{${room}}:meta`, 'hostile')
    await store.clear(room)
    expect(await say(store, '3')).toMatchObject({ seq: 1 })
  })

  it('is one too many for all processes together, until another is gone', async () => {
    const limits = { rooms: 2, emptySeconds: 0.3, idleSeconds: 60 }
    const [one, two] = [await redis.open(limits, 'limit'), await redis.open(limits, 'limit')]
    onTestFinished(async () => void (await Promise.all([one.close(), two.close()])))
    await say(one, '1', 'first')
    await two.read('second', undefined)
    await expect(say(one, '1', 'third')).rejects.toMatchObject({ code: 'room-limit' })
    await expect(two.watch('third', () => {})).rejects.toMatchObject({ code: 'room-limit' })
    expect(await say(two, '2', 'first')).toMatchObject({ seq: 2 })
    expect(await vi.waitFor(() => say(one, '1', 'third'), patience)).toMatchObject({ seq: 1 })
  })
})

describe('redis: at the start', () => {
  const refusal = (url: string): Promise<string> =>
    RedisStore.open(url).then(
      () => 'none',
      (error: unknown) => (error as Error).message,
    )
  it('a server that is not there, a wrong password, a replica, a cluster, no functions, no such database: each is one sentence that says what to do', async () => {
    expect(await refusal('redis://127.0.0.1:1')).toMatch(
      /^The Redis at redis:\/\/127\.0\.0\.1:1 does not answer \(.*ECONNREFUSED.*\): start it, or name another\.$/,
    )
    const guarded = await start({ config: { requirepass: 'right' } })
    expect(await refusal(guarded.url)).toMatch(/ refuses us: give its user and password, as redis:\/\/user:password@host:6379\.$/)
    const wrong = await refusal(`redis://default:secret-word@127.0.0.1:${guarded.port}`)
    expect(wrong).toMatch(/ refuses us: /)
    expect(wrong).not.toContain('secret-word')
    expect(await refusal(`redis://default:right@127.0.0.1:${guarded.port}`)).toBe('none')
    // Else rooms would be kept in the first database, beside what is not ours.
    expect(await refusal(`redis://default:right@127.0.0.1:${guarded.port}/99`)).toMatch(
      / cannot be used \(ERR DB index is out of range\)\.$/,
    )
    expect(await refusal(`redis://default:right@127.0.0.1:${guarded.port}/1`)).toBe('none')
    // As it is before 7: there is no such command.
    const old = await start({ config: { 'rename-command': ['FUNCTION', ''] } })
    expect(await refusal(old.url)).toMatch(/ has no functions: Redis 7 or later is needed\.$/)
    const replica = await start({ config: { replicaof: '127.0.0.1 1' } })
    expect(await refusal(replica.url)).toMatch(/ is a replica, which takes no messages: name its master\.$/)
    const node = await start({ config: { 'cluster-enabled': 'yes' } })
    expect(await refusal(node.url)).toMatch(/ is a cluster: name it as redis\+cluster:/)
    expect(await refusal('http://localhost:6379')).toMatch(/^a Redis is named as redis:/)
  })

  it('a server that takes the connection and answers nothing is given up', async () => {
    const server = await start()
    server.freeze()
    onTestFinished(() => server.thaw())
    await expect(RedisStore.open(server.url, {}, { timeoutMs: 200 })).rejects.toThrow(/ does not answer \(.*\): start it/)
  })
})

const redis = sharedRedis()
