/** What a client survives on every wire: a server that is killed and has forgotten everything, answers in the wrong order, a restless person. */
import { createServer, request as forward } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseCursor } from '../../src/protocol/cursor.ts'
import { transportNames } from '../../src/protocol/message.ts'
import { Attendants } from '../support/attendants.ts'
import { eventually } from '../support/answers.ts'
import { Follower } from '../support/follower.ts'
import { listening } from '../support/process.ts'
import { startServer } from '../support/server.ts'

const follower = (...options: ConstructorParameters<typeof Follower>): Follower => {
  const made = new Follower(...options)
  onTestFinished(() => made[Symbol.dispose]())
  return made
}
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)

describe('a server that is killed and keeps nothing', () => {
  test('is a gap "epoch" on every wire, once, and nothing is shown twice, while everybody talks', { timeout: 60_000 }, async () => {
    const secret = ['--session-secret', 'the secret of both of them', '--publishes-per-second', '0']
    const first = await listening(...secret)
    const url = `http://127.0.0.1:${first.port}`
    const readers = transportNames.map((transport) => follower({ url, room: 'lobby', transport, since: 'earliest' }))
    await Promise.all(readers.map((reader) => reader.live()))
    const enough = new AbortController()
    const talking = readers.map(async ({ channel }, index) => {
      for (let n = 0; !enough.signal.aborted; n++) {
        await channel.send(`${index}/${n}`)
        // A pace: four who talk are some hundred messages a second.
        await pause(10)
      }
    })
    await Promise.all(readers.map((reader) => reader.count(50)))
    first.child.kill('SIGKILL')
    await first.exited
    const second = await listening('--port', String(first.port), ...secret)
    expect(second.port).toBe(first.port)
    await Promise.all(readers.map((reader) => reader.until('the gap', () => reader.gaps.length > 0)))
    const { length } = readers[0]?.seen ?? []
    await readers[0]?.count(length + 50)
    enough.abort()
    await Promise.all(talking)
    const head = Math.max(...readers.map(({ channel }) => parseCursor(channel.cursor ?? '')?.seq ?? 0))
    const at = (reader: Follower): number => parseCursor(reader.channel.cursor ?? '')?.seq ?? 0
    await Promise.all(readers.map((reader) => reader.until('it has all', () => at(reader) >= head)))
    for (const reader of readers) {
      expect(reader.gaps).toEqual([{ reason: 'epoch' }])
      const ids = reader.seen.map(({ message: { member, id } }) => `${member} ${id}`)
      expect(new Set(ids).size).toBe(ids.length)
      expect(new Set(reader.texts).size).toBe(reader.texts.length)
      // Each log from its beginning, without a hole: what was shown of the first is not shown again of the second.
      const ended = reader.seqs.findIndex((seq, index) => seq !== index + 1)
      const again = reader.seqs.slice(ended)
      expect(ended).toBeGreaterThanOrEqual(50)
      expect(again).toEqual(again.toSorted((one, other) => one - other))
      expect(again.at(-1)).toBe(head)
    }
    second.child.kill('SIGKILL')
    await second.exited
  })
})

/** A proxy that can give a question the answer to an earlier one, as where answers overtake each other. */
async function startMixer(port: number) {
  const bodies: string[] = []
  const mixer = { url: '', bodies, instead: undefined as string | undefined }
  const server = createServer((asked, response) => {
    const upstream = forward({ port, host: '127.0.0.1', method: asked.method, path: asked.url, headers: asked.headers }, (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece))
      answer.on('end', () => {
        const body = Buffer.concat(pieces).toString()
        const isBatch = asked.url?.includes('poll?') === true
        const given = isBatch ? (mixer.instead ?? body) : body
        if (isBatch) {
          bodies.push(body)
          mixer.instead = undefined
        }
        response.writeHead(answer.statusCode ?? 502, { ...answer.headers, 'content-length': Buffer.byteLength(given) }).end(given)
      })
    })
    upstream.on('error', () => response.destroy())
    response.on('close', () => upstream.destroy())
    asked.pipe(upstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  mixer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return mixer
}

const author = { id: 'm_clients00001', name: 'Author' }

test.each(['poll', 'long-poll'] as const)(
  'an old answer that comes after a newer one, on %s, is dropped, and moves no cursor back',
  async (transport) => {
    await using server = await startServer()
    const mixer = await startMixer(server.port)
    const say = (n: number): Promise<unknown> => server.store.append('lobby', author, { id: `message-${n}`, text: `text ${n}` })
    const reader = follower({ url: mixer.url, room: 'lobby', transport, observe: true })
    const places: number[] = []
    reader.channel.on('batch', () => places.push(parseCursor(reader.channel.cursor ?? '')?.seq ?? -1))
    await reader.live()
    for (const n of [1, 2, 3]) {
      await say(n)
      await reader.count(n)
    }
    const old = mixer.bodies.find((body) => body.includes('"text 2"'))
    mixer.instead = old
    await say(4)
    await reader.count(4)
    await eventually(() => mixer.instead === undefined && reader.channel.counts.repeats > 0, 'the old one came')
    expect(reader.seqs).toEqual([1, 2, 3, 4])
    expect(reader.gaps).toEqual([])
    expect(places).toEqual(places.toSorted((one, other) => one - other))
    reader[Symbol.dispose]()
  },
)

test('hundreds of changes of transport are one member who came once and never left, and lose nothing', { timeout: 60_000 }, async () => {
  await using server = await startServer({ membersMs: 20, publishesPerSecond: 0 })
  using attendants = await Attendants.of(server.url, 'lobby')
  const restless = follower({ url: server.url, room: 'lobby', transport: 'poll', name: 'Restless' })
  await restless.live()
  await attendants.number(1)
  const enough = new AbortController()
  let said = 0
  const talking = (async () => {
    for (; !enough.signal.aborted; await pause(2))
      await server.store.append('lobby', author, { id: `message-${++said}`, text: `text ${said}` })
  })()
  for (let change = 0; change < 300; change++) {
    const to = transportNames[(change * 3 + 1) % 4] ?? 'poll'
    restless.channel.switchTo(to)
    // Some are taken back before they are there, some are waited for, some fall between.
    if (change % 25 === 24) await restless.live(to)
    else await pause(change % 3)
  }
  enough.abort()
  await talking
  await restless.count(said)
  expect(restless.seqs).toEqual(upTo(said))
  expect(restless.channel.counts).toMatchObject({ gaps: 0 })
  expect(attendants.counts).toEqual({ most: 1, came: 1, went: 0 })
  restless[Symbol.dispose]()
})
