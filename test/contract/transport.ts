/** What every transport promises, whatever the store: one body of tests, run over every transport × every store. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Http } from '../../src/client/http.ts'
import { node } from '../../src/client/node.ts'
import { formatCursor, parseCursor } from '../../src/protocol/cursor.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { Problem } from '../../src/protocol/problem.ts'
import type { RoomStore, StoreLimits } from '../../src/store/store.ts'
import { Follower, persistently } from '../support/follower.ts'
import { startServer, type TestServer } from '../support/server.ts'

const author = { id: 'm_contract0001', name: 'Author' }

export function transportContract(transport: TransportName, store: string, makeStore: (limits: Partial<StoreLimits>) => RoomStore): void {
  describe(`${transport} over the ${store} store`, () => {
    let server: TestServer
    let readers: Follower[] = []
    const begin = async (limits: Partial<StoreLimits> = {}): Promise<void> => {
      server = await startServer({ store: makeStore(limits), publishesPerSecond: 0, lingerMs: 100 })
    }
    const read = (options: Partial<ConstructorParameters<typeof Follower>[0]> = {}): Follower => {
      const reader = new Follower({ url: server.url, room: 'lobby', transport, observe: true, ...options })
      readers.push(reader)
      return reader
    }
    const append = async (from: number, to: number): Promise<void> => {
      for (let n = from; n <= to; n++) {
        await persistently(() => server.store.append('lobby', author, { id: `message-${n}`, text: `text ${n}` }))
      }
    }
    const headCursor = async (): Promise<string> => (await persistently(() => server.store.read('lobby', undefined))).cursor

    beforeEach(() => void (readers = []))
    afterEach(async () => {
      for (const reader of readers) reader.channel.close()
      await server.close()
    })

    it('gives who comes without a cursor a first batch at once, also in an empty room', async () => {
      await begin()
      const reader = read()
      await reader.live()
      expect(reader.seen).toEqual([])
      expect(parseCursor(reader.channel.cursor ?? '')?.seq).toBe(0)
    })

    it('begins with the newest messages where there is no cursor, and with the oldest kept for `earliest`', async () => {
      await begin({ history: 3 })
      await append(1, 8)
      const newest = read()
      const all = read({ since: 'earliest' })
      await Promise.all([newest.count(3), all.count(8)])
      expect(newest.seqs).toEqual([6, 7, 8])
      expect(all.seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
      expect([...newest.gaps, ...all.gaps]).toEqual([])
    })

    it('delivers what came after the cursor, and nothing else', async () => {
      await begin()
      await append(1, 4)
      const since = await headCursor()
      await append(5, 7)
      const reader = read({ since })
      await reader.count(3)
      expect(reader.texts).toEqual(['text 5', 'text 6', 'text 7'])
      expect(reader.gaps).toEqual([])
    })

    it('resumes from a cursor of any transport, and of an empty room', async () => {
      await begin()
      const cursors: string[] = []
      for (const other of transportNames) {
        const reader = read({ transport: other })
        await reader.live()
        cursors.push(reader.channel.cursor ?? '')
      }
      await append(1, 2)
      for (const since of cursors) {
        const reader = read({ since })
        await reader.count(2)
        expect(reader.seqs).toEqual([1, 2])
      }
    })

    it('delivers every acknowledged message exactly once, in one order, also to those who join while it is published', async () => {
      await begin()
      const early = read()
      await early.live()
      const writers = transportNames.map((name) => read({ transport: name, observe: false }))
      const acks = writers.map(async (writer, index) => {
        for (let n = 0; n < 10; n++) await writer.channel.send(`${index}/${n}`)
      })
      const late = read({ since: 'earliest' })
      await Promise.all(acks)
      await Promise.all([early.count(40), late.count(40)])
      const seqs = Array.from({ length: 40 }, (_, index) => index + 1)
      for (const reader of [early, late]) {
        expect(reader.seqs).toEqual(seqs)
        expect(reader.gaps).toEqual([])
        for (const index of writers.keys()) {
          expect(reader.texts.filter((text) => text.startsWith(`${index}/`))).toEqual(Array.from({ length: 10 }, (_, n) => `${index}/${n}`))
        }
      }
      expect(late.texts).toEqual(early.texts)
    })

    it('brings authors their own message through their own wire', async () => {
      await begin()
      const reader = read({ observe: false, name: 'Ann' })
      const ack = await reader.channel.send('to myself')
      await reader.count(1)
      expect(reader.seen[0]).toMatchObject({ transport, message: { seq: ack.seq, id: ack.id, author: 'Ann', text: 'to myself' } })
    })

    it('acknowledges the repeat of an id with the place of the first, and refuses another text under it', async () => {
      await begin()
      const reader = read({ observe: false })
      await reader.live()
      const http = new Http(node(), server.url, 'lobby')
      const { signal } = new AbortController()
      await persistently(() => http.session('Ann', signal))
      const first = await persistently(() => http.publish({ id: 'repeated-1', text: 'once' }, signal))
      const again = await persistently(() => http.publish({ id: 'repeated-1', text: 'once' }, signal))
      expect(again).toMatchObject({ seq: first.seq, cursor: first.cursor, duplicate: true })
      const other = persistently(() =>
        http.publish({ id: 'repeated-1', text: 'twice' }, signal).catch((error: Problem) => {
          if (error.comeBack) throw error
          return error.code
        }),
      )
      expect(await other).toBe('idempotency-mismatch')
      await append(1, 1)
      await reader.count(2)
      expect(reader.texts).toEqual(['once', 'text 1'])
    })

    it('tells a gap within a batch, once, and goes on from the oldest message kept', async () => {
      await begin({ keepMessages: 5 })
      await append(1, 12)
      const head = parseCursor(await headCursor())
      if (head === undefined) throw new Error('no head')
      const cases = [
        { since: formatCursor({ ...head, epoch: 'AAAAAAAAAAAA' }), gap: { reason: 'epoch' } },
        { since: formatCursor({ ...head, seq: 13 }), gap: { reason: 'ahead' } },
        { since: formatCursor({ ...head, seq: 9, tag: '______' }), gap: { reason: 'rollback' } },
        { since: formatCursor({ ...head, seq: 4, tag: '______' }), gap: { reason: 'trimmed', missed: 3 } },
      ]
      for (const { since, gap } of cases) {
        const reader = read({ since })
        await reader.count(5)
        expect(reader.gaps).toEqual([gap])
        expect(reader.seqs).toEqual([8, 9, 10, 11, 12])
        reader.channel.close()
      }
    })

    it('splits what is too long for one batch, and lets the rest follow by itself', async () => {
      await begin()
      const text = 'ä'.repeat(4000)
      for (let n = 0; n < 30; n++) await persistently(() => server.store.append('lobby', author, { id: `long-text-${n}`, text }))
      const reader = read({ since: 'earliest' })
      await reader.count(30)
      expect(reader.seqs).toEqual(Array.from({ length: 30 }, (_, index) => index + 1))
      expect(reader.texts.every((each) => each === text)).toBe(true)
    })

    it('loses nothing and repeats nothing while one switches between all four', async () => {
      await begin()
      const reader = read()
      await reader.live()
      const enough = new AbortController()
      let sent = 0
      const publishing = (async () => {
        while (!enough.signal.aborted) {
          await append(++sent, sent)
          await nextTurn()
        }
      })()
      for (let round = 0; round < 12; round++) {
        const to = transportNames[round % transportNames.length] as TransportName
        reader.channel.switchTo(to)
        await reader.live(to)
      }
      enough.abort()
      await publishing
      await reader.count(sent)
      expect(reader.seqs).toEqual(Array.from({ length: sent }, (_, index) => index + 1))
      expect(reader.gaps).toEqual([])
      // The last is the only one that is left: each was closed when the next had brought its first batch.
      await vi.waitFor(async () => expect(await server.connections()).toBe(1))
    })

    it('resumes from its cursor when the wire was cut, and is sent nothing twice', async () => {
      await begin({ history: 1 })
      const reader = read({ since: 'earliest' })
      await append(1, 3)
      await reader.count(3)
      server.cut()
      await append(4, 9)
      await reader.until('noticed', () => reader.seen.length === 9 || reader.channel.state.status === 'waiting')
      reader.channel.nudge(true)
      await reader.count(9)
      expect(reader.seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
      expect(reader.channel.counts).toMatchObject({ gaps: 0, repeats: 0 })
    })

    it('keeps what is unsent while the wire is cut, and sends it once and in order when there is one again', async () => {
      await begin()
      const reader = read({ observe: false })
      await reader.live()
      const acks = ['one', 'two', 'three'].map((text) => reader.channel.send(text))
      server.cut()
      const seqs = (await Promise.all(acks)).map(({ seq }) => seq)
      expect(seqs).toEqual([1, 2, 3])
      await reader.count(3)
      expect(reader.texts).toEqual(['one', 'two', 'three'])
      expect(reader.gaps).toEqual([])
    })

    it('says why it refuses, and does not come back by itself', async () => {
      await begin()
      const reader = read({ room: '-no-room-' })
      await reader.until('refused', () => reader.channel.state.status === 'refused')
      expect(reader.channel.state.problem).toMatchObject({ code: 'invalid-room' })
    })

    it('leaves nothing behind when all have left', async () => {
      await begin()
      const several = transportNames.map((name) => read({ transport: name }))
      await Promise.all([...several, read(), read({ room: 'lounge' })].map((reader) => reader.live()))
      for (const reader of readers) reader.channel.close()
      await server.quiet()
    })
  })
}
