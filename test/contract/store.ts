/** What every RoomStore keeps of the contract: one body of tests, run over each store. */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { formatCursor, originTag, parseCursor, type Position } from '../../src/protocol/cursor.ts'
import type { Ack, Batch, Cursor, Member, Message, Since } from '../../src/protocol/message.ts'
import { Problem } from '../../src/protocol/problem.ts'
import type { Appended, RoomStore, StoreLimits } from '../../src/store/store.ts'
import type { MakeStore } from '../support/company.ts'

const ann: Member = { id: 'm_annannann', name: 'Ann' }
const ben: Member = { id: 'm_benbenben', name: 'Ben' }
const room = 'lobby'

/** More often than this no store fails in a row. */
const mostAttempts = 50
/** What waits for an event asks so often, and so long. */
const patience = { interval: 5, timeout: 10_000 }

/** Asks again where the store failed for a reason of its own, as the contract lets clients do; a refusal passes. */
async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      if (error instanceof Problem || attempt === mostAttempts) throw error
    }
  }
}

/** The store as a patient client sees it: an append is repeated with its id, a read and a watch are asked for again. */
class Client {
  readonly store: RoomStore
  #drawn = 0

  constructor(store: RoomStore) {
    this.store = store
  }

  append(
    text: string,
    { member = ann, id = this.nextId(), to = room }: { member?: Member; id?: string; to?: string } = {},
  ): Promise<Appended> {
    return patiently(() => this.store.append(to, member, { id, text }))
  }
  /** Appends what has not been there before, and tells where it stands. */
  async say(text: string, options?: Parameters<Client['append']>[1]): Promise<Ack> {
    const appended = await this.append(text, options)
    if (appended.outcome === 'mismatch') throw new Error('the id was taken')
    return appended.ack
  }
  /** `count` messages, one after the other. */
  async sayMany(count: number, text = 'hi'): Promise<Ack[]> {
    const acks: Ack[] = []
    for (let said = 0; said < count; said++) acks.push(await this.say(`${text} ${said}`))
    return acks
  }
  read(since?: Since, limit?: number, from = room): Promise<Batch> {
    return patiently(() => this.store.read(from, since, limit))
  }
  /** Reads on by cursor until there is no more. */
  async readAll(since?: Since, limit?: number): Promise<Batch[]> {
    const batches = [await this.read(since, limit)]
    for (let last = batches[0]; last?.more; last = batches.at(-1)) {
      // Otherwise it would read on for ever.
      expect(last.messages).not.toEqual([])
      batches.push(await this.read(last.cursor, limit))
    }
    return batches
  }
  clear(of = room): Promise<void> {
    return patiently(() => this.store.clear(of))
  }
  nextId(): string {
    return `draft-${String(++this.#drawn).padStart(6, '0')}`
  }
}

const seqs = (batch: Batch): number[] => batch.messages.map(({ seq }) => seq)
const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, index) => first + index)
const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** A cursor moved or changed by somebody other than the store. */
function altered(cursor: Cursor, change: Partial<Position>): Cursor {
  const position = parseCursor(cursor)
  if (position === undefined) throw new Error(`${cursor} is no cursor`)
  return formatCursor({ ...position, ...change })
}
const otherTag = 'zzzzzz'
const otherEpoch = 'zzzzzzzzzzzz'

export function storeContract(name: string, makeStore: MakeStore): void {
  async function open(limits: Partial<StoreLimits> = {}): Promise<Client> {
    const store = await makeStore(limits)
    onTestFinished(() => store.close())
    return new Client(store)
  }

  describe(`${name}: a reader`, () => {
    it('without a cursor begins with the newest messages', async () => {
      const client = await open({ history: 3 })
      const acks = await client.sayMany(5)
      const batch = await client.read()
      expect(seqs(batch)).toEqual([3, 4, 5])
      expect(batch).toEqual({ messages: batch.messages, cursor: acks[4]?.cursor })
    })

    it('without a cursor begins at the head where no history is wanted', async () => {
      const client = await open({ history: 0 })
      const acks = await client.sayMany(3)
      expect(await client.read()).toEqual({ messages: [], cursor: acks[2]?.cursor })
    })

    it('gets a cursor even in an empty room, and resumes from it', async () => {
      const client = await open()
      const empty = await client.read()
      expect(empty).toEqual({ messages: [], cursor: empty.cursor })
      expect(parseCursor(empty.cursor)).toMatchObject({ seq: 0, tag: originTag })
      expect(await client.read('earliest')).toEqual(empty)
      expect(await client.read(empty.cursor)).toEqual(empty)
      const ack = await client.say('first')
      const batch = await client.read(empty.cursor)
      expect(batch).toEqual({ messages: batch.messages, cursor: ack.cursor })
      expect(seqs(batch)).toEqual([1])
    })

    it('from "earliest" begins with the oldest message kept', async () => {
      const client = await open({ history: 1, keepMessages: 4 })
      await client.sayMany(6)
      const batch = await client.read('earliest')
      expect(seqs(batch)).toEqual([3, 4, 5, 6])
      expect(batch.gap).toBeUndefined()
    })

    it('sees of a message what its author sent, and when', async () => {
      const client = await open()
      const begin = Date.now()
      const text = 'Zwei Zeilen:\n\t"👩‍👩‍👧‍👦" \\ \u2028 <b> {}'
      await client.say(text, { id: 'c1f09b2e', member: { id: ben.id, name: 'Bän 🦊' } })
      const [message] = (await client.read()).messages
      expect(message).toEqual({ seq: 1, id: 'c1f09b2e', member: ben.id, author: 'Bän 🦊', text, at: message?.at })
      expect(message?.at).toBeGreaterThanOrEqual(begin - 1)
      expect(message?.at).toBeLessThanOrEqual(Date.now() + 1)
      expect(Number.isInteger(message?.at)).toBe(true)
    })

    it('sees nothing of another room', async () => {
      const client = await open()
      await client.say('here')
      await client.say('there', { to: 'elsewhere' })
      expect((await client.read(undefined, undefined, 'elsewhere')).messages).toMatchObject([{ seq: 1, text: 'there' }])
      const [here, there] = [await client.read(), await client.read(undefined, undefined, 'elsewhere')]
      expect(parseCursor(here.cursor)?.epoch).not.toBe(parseCursor(there.cursor)?.epoch)
    })

    it('may be in a room that is named like a key of every object', async () => {
      const client = await open()
      for (const to of ['constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
        expect(await client.store.has(to)).toBe(false)
        expect(await client.say('hi', { to })).toMatchObject({ seq: 1 })
        expect(seqs(await client.read('earliest', undefined, to))).toEqual([1])
      }
    })
  })

  describe(`${name}: resuming, contract §4`, () => {
    it.each(['', 'latest', 'ZkT0aQ1mB7xY.01.AAAAAA', 'ZkT0aQ1mB7xY.1', 'ZkT0aQ1mB7xY.9007199254740992.AAAAAA'])(
      'row 1: %j does not parse, and is an invalid-cursor',
      async (since) => {
        const client = await open()
        await client.say('hi')
        await expect(client.read(since)).rejects.toMatchObject({ name: 'Problem', code: 'invalid-cursor' })
      },
    )

    it('row 2: a cursor of another log gets everything, and the gap "epoch"', async () => {
      const client = await open({ keepMessages: 3 })
      const acks = await client.sayMany(5)
      for (const seq of [0, 1, 4, 5, 99]) {
        const batch = await client.read(altered(acks[3]?.cursor ?? '', { epoch: otherEpoch, seq }))
        expect(batch).toEqual({ messages: batch.messages, cursor: acks[4]?.cursor, gap: { reason: 'epoch' } })
        expect(seqs(batch)).toEqual([3, 4, 5])
      }
    })

    it('row 3: a cursor from the future gets everything, and the gap "ahead"', async () => {
      const client = await open({ keepMessages: 3 })
      const acks = await client.sayMany(5)
      for (const seq of [6, 7, 999_999_999_999_999]) {
        const batch = await client.read(altered(acks[4]?.cursor ?? '', { seq }))
        expect(batch).toEqual({ messages: batch.messages, cursor: acks[4]?.cursor, gap: { reason: 'ahead' } })
        expect(seqs(batch)).toEqual([3, 4, 5])
      }
    })

    it('row 4: a cursor of this log gets what is after it, and no gap', async () => {
      const client = await open({ keepMessages: 3 })
      const acks = await client.sayMany(5)
      // 2 is the oldest kept less one: its tag is still known.
      for (const seq of [2, 3, 4, 5]) {
        const batch = await client.read(acks[seq - 1]?.cursor)
        expect(batch).toEqual({ messages: batch.messages, cursor: acks[4]?.cursor })
        expect(seqs(batch)).toEqual(upTo(5, seq + 1))
      }
    })

    it('row 5: a cursor of a number used again gets everything, and the gap "rollback"', async () => {
      const client = await open({ keepMessages: 3 })
      const acks = await client.sayMany(5)
      for (const seq of [2, 3, 4, 5]) {
        const batch = await client.read(altered(acks[seq - 1]?.cursor ?? '', { tag: otherTag }))
        expect(batch).toEqual({ messages: batch.messages, cursor: acks[4]?.cursor, gap: { reason: 'rollback' } })
        expect(seqs(batch)).toEqual([3, 4, 5])
      }
    })

    it('row 5: seq 0 has one tag, and another is a rollback too', async () => {
      const client = await open()
      const { cursor } = await client.read()
      expect((await client.read(altered(cursor, { tag: otherTag }))).gap).toEqual({ reason: 'rollback' })
    })

    it('row 6: a cursor of what is no longer kept gets everything, the gap "trimmed", and how many are missed exactly', async () => {
      const client = await open({ keepMessages: 3 })
      const { cursor: origin } = await client.read()
      const acks = await client.sayMany(8)
      for (const [seq, cursor] of [origin, ...acks.map((ack) => ack.cursor)].slice(0, 5).entries()) {
        const batch = await client.read(cursor)
        expect(batch).toEqual({ messages: batch.messages, cursor: acks[7]?.cursor, gap: { reason: 'trimmed', missed: 5 - seq } })
        expect(seqs(batch)).toEqual([6, 7, 8])
      }
    })

    it('goes on from any cursor that was ever given: of a batch, of a batch cut by its limit, of an acknowledgement', async () => {
      const client = await open()
      const acks = await client.sayMany(6)
      for (const { seq, cursor } of acks) {
        const batch = await client.read('earliest', seq)
        expect(batch.cursor).toBe(cursor)
        expect(seqs(await client.read(batch.cursor))).toEqual(upTo(6, seq + 1))
      }
    })

    it('tells a gap once: the batch after it has none', async () => {
      const client = await open({ keepMessages: 5 })
      const acks = await client.sayMany(9)
      const [first, ...rest] = await client.readAll(acks[0]?.cursor, 2)
      expect(first?.gap).toEqual({ reason: 'trimmed', missed: 3 })
      for (const batch of rest) expect(batch.gap).toBeUndefined()
      expect([first, ...rest].flatMap((batch) => (batch ? seqs(batch) : []))).toEqual(upTo(9, 5))
    })
  })

  describe(`${name}: order`, () => {
    it('counts 1, 2, 3 … without holes under concurrent appends, and acknowledges what it kept', async () => {
      const client = await open()
      const said = await Promise.all(
        upTo(200).map(async (n) => {
          const member = n % 2 === 0 ? ann : ben
          return { text: `${n}`, member: member.id, ack: await client.say(`${n}`, { member }) }
        }),
      )
      const messages = (await client.readAll('earliest')).flatMap((batch) => batch.messages)
      expect(messages.map(({ seq }) => seq)).toEqual(upTo(200))
      const bySeq = new Map(messages.map((message) => [message.seq, message]))
      for (const { text, member, ack } of said) {
        expect(bySeq.get(ack.seq)).toMatchObject({ id: ack.id, text, member })
        expect(parseCursor(ack.cursor)?.seq).toBe(ack.seq)
      }
    })

    it('is one: two readers never disagree on what an epoch, seq and tag is', async () => {
      const client = await open()
      const writing = Promise.all(upTo(60).map((n) => client.say(`${n}`)))
      const readers = await Promise.all([
        client.readAll('earliest', 1),
        client.readAll('earliest', 7),
        writing.then(() => client.readAll('earliest')),
      ])
      const known = new Map<Cursor, Message | undefined>()
      for (const { messages, cursor } of readers.flat()) {
        const last = messages.at(-1)
        if (known.has(cursor) && last !== undefined) expect(known.get(cursor)).toEqual(last)
        if (last !== undefined) known.set(cursor, last)
      }
      expect(seqs(readers[2]?.at(-1) ?? { messages: [], cursor: '' }).at(-1)).toBe(60)
    })
  })

  describe(`${name}: the repeat of an id`, () => {
    it('by the same member is one message, with the same seq and cursor', async () => {
      const client = await open()
      const first = await client.say('hi', { id: 'same-id-1' })
      await client.sayMany(3)
      expect(await client.append('hi', { id: 'same-id-1' })).toEqual({ outcome: 'duplicate', ack: { ...first, duplicate: true } })
      expect((await client.read('earliest')).messages).toHaveLength(4)
    })

    it('is found in the same atomic step as the append: of 50 at once one is kept', async () => {
      const client = await open()
      const outcomes = await Promise.all(upTo(50).map(() => client.append('hi', { id: 'same-id-1' })))
      const acks = outcomes.map((appended) => (appended.outcome === 'mismatch' ? undefined : appended.ack))
      for (const ack of acks) expect(ack).toMatchObject({ id: 'same-id-1', seq: 1, cursor: acks[0]?.cursor })
      for (const { outcome, ack } of outcomes as Exclude<Appended, { outcome: 'mismatch' }>[])
        expect(ack.duplicate).toBe(outcome === 'duplicate')
      // The acknowledgement of the first may have been lost; then all that is heard is that it was there.
      const firsts = outcomes.filter(({ outcome }) => outcome === 'appended').length
      expect(firsts).toBeLessThanOrEqual(1)
      if (!lossy(client.store)) expect(firsts).toBe(1)
      expect((await client.read('earliest')).messages).toHaveLength(1)
    })

    it('with another text is a mismatch, and nothing is kept', async () => {
      const client = await open()
      await client.say('hi', { id: 'same-id-1' })
      expect(await client.append('ho', { id: 'same-id-1' })).toEqual({ outcome: 'mismatch' })
      expect((await client.read('earliest')).messages).toMatchObject([{ text: 'hi' }])
    })

    it('under another name is the same message: a member may have renamed itself', async () => {
      const client = await open()
      await client.say('hi', { id: 'same-id-1' })
      expect(await client.append('hi', { id: 'same-id-1', member: { ...ann, name: 'Anna' } })).toMatchObject({ outcome: 'duplicate' })
    })

    it('by another member is a message of its own', async () => {
      const client = await open()
      await client.say('hi', { id: 'same-id-1' })
      expect(await client.say('ho', { id: 'same-id-1', member: ben })).toMatchObject({ seq: 2 })
    })

    it('is told from an id and a member that are spelled the same in a row', async () => {
      const client = await open()
      await client.say('hi', { id: 'b-same-id-1', member: { id: 'm_a', name: 'A' } })
      expect(await client.say('hi', { id: 'same-id-1', member: { id: 'm_ab-', name: 'B' } })).toMatchObject({ seq: 2 })
    })

    it('in another room is a message of its own', async () => {
      const client = await open()
      await client.say('hi', { id: 'same-id-1' })
      expect(await client.say('ho', { id: 'same-id-1', to: 'elsewhere' })).toMatchObject({ seq: 1 })
    })

    it('is found though the message itself is no longer kept', async () => {
      const client = await open({ keepMessages: 2 })
      const first = await client.say('hi', { id: 'same-id-1' })
      await client.sayMany(5)
      expect(await client.append('hi', { id: 'same-id-1' })).toEqual({ outcome: 'duplicate', ack: { ...first, duplicate: true } })
    })

    it('is looked up without a trace: what it was answered, and nothing of what was never kept', async () => {
      const client = await open()
      const find = (id: string, text: string, to = room): Promise<Appended | undefined> =>
        patiently(() => client.store.find(to, ann, { id, text }))
      const first = await client.say('hi', { id: 'same-id-1' })
      expect(await find('same-id-1', 'hi')).toEqual({ outcome: 'duplicate', ack: { ...first, duplicate: true } })
      expect(await find('same-id-1', 'ho')).toEqual({ outcome: 'mismatch' })
      expect([await find('other-id-1', 'hi'), await find('same-id-1', 'hi', 'elsewhere')]).toEqual([undefined, undefined])
      expect(await patiently(() => client.store.has('elsewhere'))).toBe(false)
      expect((await client.read('earliest')).messages).toHaveLength(1)
    })

    it('is found until so many newer ids of the room have passed', async () => {
      const client = await open({ dedupeIds: 5 })
      await client.say('hi', { id: 'same-id-1' })
      await client.sayMany(4)
      expect(await client.append('hi', { id: 'same-id-1' })).toMatchObject({ outcome: 'duplicate', ack: { seq: 1 } })
      await client.say('the fifth')
      expect(await client.say('hi', { id: 'same-id-1' })).toMatchObject({ seq: 7 })
    })

    it('is found until so many seconds have passed', async () => {
      const client = await open({ dedupeSeconds: 0.5 })
      await client.say('hi', { id: 'same-id-1' })
      const begin = performance.now()
      expect(await client.say('hi', { id: 'same-id-1' })).toMatchObject({ seq: 1 })
      await vi.waitFor(async () => expect(await client.say('hi', { id: 'same-id-1' })).toMatchObject({ seq: 2 }), patience)
      expect(performance.now() - begin).toBeGreaterThan(250)
      // It is the window of the first that has passed, not of what was found meanwhile.
      expect(await client.say('hi', { id: 'same-id-1' })).toMatchObject({ seq: 2 })
    })
  })

  describe(`${name}: what is kept`, () => {
    it('is at most so many messages', async () => {
      const client = await open({ keepMessages: 10 })
      await client.sayMany(25)
      expect(seqs(await client.read('earliest'))).toEqual(upTo(25, 16))
    })

    it('is at most so many bytes, and what is missed is told exactly', async () => {
      const keepBytes = 20_000
      const client = await open({ keepBytes, dedupeIds: 5 })
      const { cursor } = await client.read()
      await client.sayMany(60, 'x'.repeat(1000))
      const batch = await client.read(cursor)
      const oldest = batch.messages[0]?.seq ?? 0
      expect(oldest).toBeGreaterThan(41)
      expect(oldest).toBeLessThan(56)
      expect(seqs(batch)).toEqual(upTo(60, oldest))
      expect(batch.gap).toEqual({ reason: 'trimmed', missed: oldest - 1 })
      expect(jsonBytes(batch.messages)).toBeLessThanOrEqual(keepBytes)
    })

    it('is the newest message at least, however large it is', async () => {
      const client = await open({ keepBytes: 500, dedupeIds: 2 })
      await client.sayMany(3, 'x'.repeat(1000))
      expect(seqs(await client.read('earliest'))).toEqual([3])
    })

    it('is kept for so many seconds, and what is missed is told exactly', async () => {
      const client = await open({ keepSeconds: 0.3 })
      const { cursor: origin } = await client.read()
      const acks = await client.sayMany(4)
      await vi.waitFor(async () => expect((await client.read('earliest')).messages).toEqual([]), patience)
      const last = acks[3]?.cursor
      expect(await client.read(origin)).toEqual({ messages: [], cursor: last, gap: { reason: 'trimmed', missed: 4 } })
      expect(await client.read(acks[2]?.cursor)).toEqual({ messages: [], cursor: last, gap: { reason: 'trimmed', missed: 1 } })
      // The head's own tag is still known: who has seen everything has missed nothing.
      expect(await client.read(last)).toEqual({ messages: [], cursor: last })
      expect(await client.read(altered(last ?? '', { tag: otherTag }))).toMatchObject({ gap: { reason: 'rollback' } })
      expect(await client.say('again')).toMatchObject({ seq: 5 })
      expect(seqs(await client.read(last))).toEqual([5])
    })

    it('is of so many rooms at most, and one more is a room-limit', async () => {
      const client = await open({ rooms: 2 })
      await client.say('hi', { to: 'one' })
      await client.read(undefined, undefined, 'two')
      const refusal = { name: 'Problem', code: 'room-limit', status: 503 }
      await expect(client.append('hi', { to: 'three' })).rejects.toMatchObject(refusal)
      await expect(client.read(undefined, undefined, 'three')).rejects.toMatchObject(refusal)
      expect(await client.store.has('three')).toBe(false)
      expect(await client.say('hi', { to: 'two' })).toMatchObject({ seq: 1 })
    })

    it('is known by its room: it appears with its first reader or message', async () => {
      const client = await open()
      expect(await client.store.has('read')).toBe(false)
      await client.read(undefined, undefined, 'read')
      await client.say('hi', { to: 'written' })
      expect(await client.store.has('read')).toBe(true)
      expect(await client.store.has('written')).toBe(true)
    })
  })

  describe(`${name}: a batch`, () => {
    it('has at most 500 messages, and says that there is more', async () => {
      const client = await open()
      await Promise.all(upTo(600).map(() => client.say('hi')))
      const batches = await client.readAll('earliest')
      expect(batches.map((batch) => batch.messages.length)).toEqual([500, 100])
      expect(batches.map((batch) => batch.more)).toEqual([true, undefined])
      // The limit may be less, not more.
      expect((await client.read('earliest', 501)).messages).toHaveLength(500)
    })

    it.each([
      ['ASCII', 'x'],
      ['three bytes a character', '€'],
      ['emoji', '😀'],
      ['what JSON escapes', '"'],
    ])('has at most 64 KiB of JSON: %s', async (_what, unit) => {
      const client = await open()
      await client.sayMany(20, unit.repeat(4000 / unit.length))
      const batches = await client.readAll('earliest')
      expect(batches.length).toBeGreaterThan(1)
      for (const batch of batches) expect(jsonBytes(batch)).toBeLessThanOrEqual(65_536)
      // Nor is it cut much sooner: a message more would not fit.
      for (const batch of batches.slice(0, -1)) expect(jsonBytes(batch) + 4 * 4096).toBeGreaterThan(65_536)
      expect(batches.flatMap(seqs)).toEqual(upTo(20))
    })

    it('has one message at least, however small its limit', async () => {
      const client = await open({ batchBytes: 100 })
      await client.sayMany(3, 'x'.repeat(1000))
      expect((await client.readAll('earliest')).map(seqs)).toEqual([[1], [2], [3]])
    })

    it.each([1, 2, 3, 7, 10, 11])(
      'of at most %i messages is followed by the others: reading on gives each exactly once, in order',
      async (limit) => {
        const client = await open()
        await client.sayMany(10)
        const batches = await client.readAll('earliest', limit)
        expect(batches).toHaveLength(Math.ceil(10 / limit))
        expect(batches.flatMap(seqs)).toEqual(upTo(10))
        for (const batch of batches.slice(0, -1)) expect(batch).toMatchObject({ more: true })
        expect(batches.at(-1)).not.toHaveProperty('more')
      },
    )

    it('leaves its reader at its last message', async () => {
      const client = await open()
      const acks = await client.sayMany(5)
      for (const batch of await client.readAll('earliest', 2))
        expect(batch.cursor).toBe(acks[(batch.messages.at(-1)?.seq ?? 0) - 1]?.cursor)
    })
  })

  describe(`${name}: who watches`, () => {
    /** Watches until the test is over or `unwatch` is called; `heads` are the wakes so far. */
    async function watch(client: Client, where = room): Promise<{ heads: number[]; unwatch: () => void }> {
      const heads: number[] = []
      const unwatch = await patiently(() => client.store.watch(where, (head) => heads.push(parseCursor(head)?.seq ?? NaN)))
      onTestFinished(unwatch)
      return { heads, unwatch }
    }

    it('is woken after every append, with the head or a later one', async () => {
      const client = await open()
      const { heads } = await watch(client)
      for (let seq = 1; seq <= 5; seq++) {
        await client.say('hi')
        await vi.waitFor(() => expect(Math.max(...heads)).toBe(seq), patience)
      }
    })

    it('may be many, and each is woken', async () => {
      const client = await open()
      const watchers = await Promise.all(upTo(10).map(() => watch(client)))
      await client.say('hi')
      await vi.waitFor(() => {
        for (const { heads } of watchers) expect(heads).toContain(1)
      }, patience)
    })

    it('is not woken for another room', async () => {
      const client = await open()
      const here = await watch(client)
      const there = await watch(client, 'elsewhere')
      await Promise.all(upTo(5).map(() => client.say('hi', { to: 'elsewhere' })))
      await vi.waitFor(() => expect(there.heads).toContain(5), patience)
      expect(here.heads).toEqual([])
    })

    it('is not woken any more after unwatching, which may be done twice', async () => {
      const client = await open()
      const [gone, stays] = [await watch(client), await watch(client)]
      await client.say('hi')
      await vi.waitFor(() => expect(gone.heads).toContain(1), patience)
      gone.unwatch()
      gone.unwatch()
      const before = [...gone.heads]
      await Promise.all(upTo(20).map(() => client.say('hi')))
      await vi.waitFor(() => expect(stays.heads).toContain(21), patience)
      expect(gone.heads).toEqual(before)
    })

    it('and then reads misses nothing, whatever is appended meanwhile', async () => {
      const client = await open({ history: 0 })
      const last = 150
      const readers = upTo(8).map(async (nth) => {
        // Each joins at a moment of its own.
        await vi.waitFor(async () => expect(seqs(await client.read('earliest')).length).toBeGreaterThan(nth * 10), patience)
        const { heads } = await watch(client)
        const joined = await client.read()
        const first = parseCursor(joined.cursor)?.seq ?? NaN
        const seen: number[] = []
        let { cursor } = joined
        for (let woken = 0; first + seen.length < last;) {
          const batch = await client.read(cursor)
          expect(batch.gap).toBeUndefined()
          seen.push(...seqs(batch))
          cursor = batch.cursor
          // It reads again only when it is woken: what it missed it would miss for good.
          if (first + seen.length < last) await vi.waitFor(() => expect(heads.length).toBeGreaterThan(woken), patience)
          woken = heads.length
        }
        expect(seen).toEqual(upTo(last, first + 1))
      })
      const writers = upTo(5).map(async (writer) => {
        for (let n = 0; n < last / 5; n++) await client.say(`${writer}:${n}`)
      })
      await Promise.all([...readers, ...writers])
    })
  })

  describe(`${name}: clearing a room`, () => {
    it('leaves nothing of it, and every cursor from before meets a new epoch', async () => {
      const client = await open()
      const origin = (await client.read()).cursor
      const acks = await client.sayMany(3)
      await client.clear()
      const { epoch } = parseCursor(origin) ?? {}
      for (const before of [origin, ...acks.map(({ cursor }) => cursor)]) {
        const batch = await client.read(before)
        expect(batch).toEqual({ messages: [], cursor: batch.cursor, gap: { reason: 'epoch' } })
        expect(parseCursor(batch.cursor)).toMatchObject({ seq: 0, tag: originTag })
        expect(parseCursor(batch.cursor)?.epoch).not.toBe(epoch)
      }
      expect(await client.read('earliest')).toEqual(await client.read())
      // Its ids are gone too: what is said again is said anew.
      expect(await client.say('again', { id: acks[0]?.id ?? '' })).toMatchObject({ seq: 1, duplicate: false })
      expect(seqs(await client.read(acks[2]?.cursor))).toEqual([1])
    })

    it('wakes those who watch, and they go on watching', async () => {
      const client = await open()
      await client.say('hi')
      const heads: Cursor[] = []
      await patiently(() => client.store.watch(room, (head) => heads.push(head)))
      await client.clear()
      const { cursor } = await client.read()
      await vi.waitFor(() => expect(heads).toContain(cursor), patience)
      const ack = await client.say('hi')
      await vi.waitFor(() => expect(heads).toContain(ack.cursor), patience)
    })

    it('touches no other room, and is nothing where there is none', async () => {
      const client = await open()
      await client.say('there', { to: 'elsewhere' })
      await client.clear()
      await client.clear('nowhere')
      expect(await client.store.has('nowhere')).toBe(false)
      expect(seqs(await client.read('earliest', undefined, 'elsewhere'))).toEqual([1])
    })
  })

  describe(`${name}: a closed store`, () => {
    const calls: [string, (store: RoomStore) => Promise<unknown>][] = [
      ['append', (store) => store.append(room, ann, { id: 'c1f09b2e', text: 'hi' })],
      ['find', (store) => store.find(room, ann, { id: 'c1f09b2e', text: 'hi' })],
      ['read', (store) => store.read(room, undefined)],
      ['watch', (store) => store.watch(room, () => {})],
      ['has', (store) => store.has(room)],
      ['clear', (store) => store.clear(room)],
    ]
    it.each(calls)('rejects %s', async (_name, call) => {
      const client = await open()
      await client.say('hi')
      await client.store.close()
      await expect(call(client.store)).rejects.toThrow()
    })
  })
}

/** A store whose acknowledgements may be lost says how often it failed. */
const lossy = (store: RoomStore): boolean => 'failures' in store
