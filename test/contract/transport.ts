/** What every transport promises, whatever the store: one body of tests, run over every transport × every store. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, vi } from 'vitest'
import { Http } from '../../src/client/http.ts'
import { node } from '../../src/client/node.ts'
import type { ChannelOptions } from '../../src/client/state.ts'
import { formatCursor, parseCursor } from '../../src/protocol/cursor.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import type { Problem } from '../../src/protocol/problem.ts'
import { type Company, type MakeFront, type MakeStore, promise } from '../support/company.ts'
import { type Follower, persistently } from '../support/follower.ts'

const author = { id: 'm_contract0001', name: 'Author' }

/** For what the network, or a proxy in it, has to be told by others first. */
const patient = { timeout: 10_000 }

const read = (company: Company, options: Partial<ChannelOptions> = {}): Follower => company.follow({ observe: true, ...options })
const append = async ({ server }: Company, from: number, to: number): Promise<void> => {
  for (let n = from; n <= to; n++) {
    await persistently(() => server.store.append('lobby', author, { id: `message-${n}`, text: `text ${n}` }))
  }
}
const headCursor = async ({ server }: Company): Promise<string> => (await persistently(() => server.store.read('lobby', undefined))).cursor

/** `makeFront` puts something between the server and its clients. */
export function transportContract(transport: TransportName, store: string, makeStore: MakeStore, makeFront?: MakeFront): void {
  describe.concurrent(`${transport} over the ${store} store`, () => {
    const promised = promise(transport, makeStore, {}, makeFront)

    promised('gives who comes without a cursor a first batch at once, also in an empty room', async (company) => {
      const reader = read(company)
      await reader.live()
      expect(reader.seen).toEqual([])
      expect(parseCursor(reader.channel.cursor ?? '')?.seq).toBe(0)
    })

    promised(
      'begins with the newest messages where there is no cursor, and with the oldest kept for `earliest`',
      async (company) => {
        await append(company, 1, 8)
        const newest = read(company)
        const all = read(company, { since: 'earliest' })
        await Promise.all([newest.count(3), all.count(8)])
        expect(newest.seqs).toEqual([6, 7, 8])
        expect(all.seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
        expect([...newest.gaps, ...all.gaps]).toEqual([])
      },
      { history: 3 },
    )

    promised('delivers what came after the cursor, and nothing else', async (company) => {
      await append(company, 1, 4)
      const since = await headCursor(company)
      await append(company, 5, 7)
      const reader = read(company, { since })
      await reader.count(3)
      expect(reader.texts).toEqual(['text 5', 'text 6', 'text 7'])
      expect(reader.gaps).toEqual([])
    })

    promised('resumes from a cursor of any transport, and of an empty room', async (company) => {
      const cursors: string[] = []
      for (const other of transportNames) {
        const reader = read(company, { transport: other })
        await reader.live()
        cursors.push(reader.channel.cursor ?? '')
      }
      await append(company, 1, 2)
      for (const since of cursors) {
        const reader = read(company, { since })
        await reader.count(2)
        expect(reader.seqs).toEqual([1, 2])
      }
    })

    promised(
      'delivers every acknowledged message exactly once, in one order, also to those who join while it is published',
      async (company) => {
        const early = read(company)
        await early.live()
        const writers = transportNames.map((name) => read(company, { transport: name, observe: false }))
        const acks = writers.map(async (writer, index) => {
          for (let n = 0; n < 10; n++) await writer.channel.send(`${index}/${n}`)
        })
        const late = read(company, { since: 'earliest' })
        await Promise.all(acks)
        await Promise.all([early.count(40), late.count(40)])
        const seqs = Array.from({ length: 40 }, (_, index) => index + 1)
        for (const reader of [early, late]) {
          expect(reader.seqs).toEqual(seqs)
          expect(reader.gaps).toEqual([])
          for (const index of writers.keys()) {
            expect(reader.texts.filter((text) => text.startsWith(`${index}/`))).toEqual(
              Array.from({ length: 10 }, (_, n) => `${index}/${n}`),
            )
          }
        }
        expect(late.texts).toEqual(early.texts)
      },
    )

    promised('brings authors their own message through their own wire', async (company) => {
      const reader = read(company, { observe: false, name: 'Ann' })
      const ack = await reader.channel.send('to myself')
      await reader.count(1)
      expect(reader.seen[0]).toMatchObject({ transport, message: { seq: ack.seq, id: ack.id, author: 'Ann', text: 'to myself' } })
    })

    promised('acknowledges the repeat of an id with the place of the first, and refuses another text under it', async (company) => {
      const reader = read(company, { observe: false })
      await reader.live()
      const http = new Http(node(), company.url, 'lobby')
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
      await append(company, 1, 1)
      await reader.count(2)
      expect(reader.texts).toEqual(['once', 'text 1'])
    })

    promised(
      'tells a gap within a batch, once, and goes on from the oldest message kept',
      async (company) => {
        await append(company, 1, 12)
        const head = parseCursor(await headCursor(company))
        if (head === undefined) throw new Error('no head')
        const cases = [
          { since: formatCursor({ ...head, epoch: 'AAAAAAAAAAAA' }), gap: { reason: 'epoch' } },
          { since: formatCursor({ ...head, seq: 13 }), gap: { reason: 'ahead' } },
          { since: formatCursor({ ...head, seq: 9, tag: '______' }), gap: { reason: 'rollback' } },
          { since: formatCursor({ ...head, seq: 4, tag: '______' }), gap: { reason: 'trimmed', missed: 3 } },
        ]
        for (const { since, gap } of cases) {
          const reader = read(company, { since })
          await reader.count(5)
          expect(reader.gaps).toEqual([gap])
          expect(reader.seqs).toEqual([8, 9, 10, 11, 12])
          reader.channel.close()
        }
      },
      { keepMessages: 5 },
    )

    promised('splits what is too long for one batch, and lets the rest follow by itself', async (company) => {
      const text = 'ä'.repeat(4000)
      for (let n = 0; n < 30; n++) await persistently(() => company.server.store.append('lobby', author, { id: `long-text-${n}`, text }))
      const reader = read(company, { since: 'earliest' })
      await reader.count(30)
      expect(reader.seqs).toEqual(Array.from({ length: 30 }, (_, index) => index + 1))
      expect(reader.texts.every((each) => each === text)).toBe(true)
    })

    promised('loses nothing and repeats nothing while one switches between all four', async (company) => {
      const reader = read(company)
      await reader.live()
      const enough = new AbortController()
      let sent = 0
      const publishing = (async () => {
        while (!enough.signal.aborted) {
          await append(company, ++sent, sent)
          // A pace: as many as one turn of the loop allows would be the work of all the tests beside this one.
          await pause(1)
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
      await vi.waitFor(async () => expect(await company.server.connections()).toBe(1), patient)
    })

    promised(
      'resumes from its cursor when the wire was cut, and is sent nothing twice',
      async (company) => {
        const reader = read(company, { since: 'earliest' })
        await append(company, 1, 3)
        await reader.count(3)
        company.server.cut()
        await append(company, 4, 9)
        await reader.until('noticed', () => reader.seen.length === 9 || reader.channel.state.status === 'waiting')
        reader.channel.nudge(true)
        await reader.count(9)
        expect(reader.seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
        expect(reader.channel.counts).toMatchObject({ gaps: 0, repeats: 0 })
      },
      { history: 1 },
    )

    promised('keeps what is unsent while the wire is cut, and sends it once and in order when there is one again', async (company) => {
      const reader = read(company, { observe: false })
      await reader.live()
      const acks = ['one', 'two', 'three'].map((text) => reader.channel.send(text))
      company.server.cut()
      const seqs = (await Promise.all(acks)).map(({ seq }) => seq)
      expect(seqs).toEqual([1, 2, 3])
      await reader.count(3)
      expect(reader.texts).toEqual(['one', 'two', 'three'])
      expect(reader.gaps).toEqual([])
    })

    promised('says why it refuses, and does not come back by itself', async (company) => {
      const reader = read(company, { room: '-no-room-' })
      await reader.until('refused', () => reader.channel.state.status === 'refused')
      expect(reader.channel.state.problem).toMatchObject({ code: 'invalid-room' })
    })

    promised('leaves nothing behind when all have left', async (company) => {
      const several = transportNames.map((name) => read(company, { transport: name }))
      await Promise.all([...several, read(company), read(company, { room: 'lounge' })].map((reader) => reader.live()))
      for (const reader of company.followers) reader.channel.close()
      await company.server.quiet()
    })
  })
}
