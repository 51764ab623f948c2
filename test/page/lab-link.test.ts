/** The page's line to the lab, against a real server. A browser's globals are stood in for; its socket is a real one. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { noChaos } from '../../src/lab/events.ts'
import { LabLink, type LinkStatus } from '../../src/page/lab-link.ts'
import { eventually } from '../support/answers.ts'
import { member, startServer, type TestMember, type TestServer } from '../support/server.ts'

let server: TestServer
let ann: TestMember
let links: LabLink[] = []

beforeEach(async () => {
  server = await startServer({ lab: true })
  ann = await member(server.url, 'Ann')
  links = []
  // A browser sends its cookie by itself.
  const cookie = (): string => ann.cookie
  vi.stubGlobal(
    'WebSocket',
    class extends WebSocket {
      constructor(url: string) {
        super(url, { headers: { cookie: cookie() } })
        // Of a failed handshake a browser tells by a close only.
        this.on('error', () => {})
      }
    },
  )
  vi.stubGlobal('document', { hidden: false })
})
afterEach(async () => {
  for (const each of links) each.close()
  vi.unstubAllGlobals()
  await server.close()
})

function link(url = server.url): LabLink & { readonly told: LinkStatus[] } {
  const lab = new LabLink(`${url}/`)
  const told: LinkStatus[] = []
  lab.on('status', (status) => told.push(status))
  links.push(lab)
  return Object.assign(lab, { told })
}

it('tells at first what is open and what holds, and how our clock stands to the server’s', async () => {
  const lab = link()
  const heard = { reports: 0, chaos: 0 }
  lab.on('report', () => heard.reports++)
  lab.on('chaos', () => heard.chaos++)
  expect(lab.clock).toBeUndefined()
  lab.open()
  await eventually(() => lab.clock !== undefined && heard.reports > 0 && heard.chaos > 0, 'all three')
  expect(lab.chaos).toEqual({ type: 'chaos', chaos: noChaos, blackHoleMs: 0, stallMs: 0 })
  // One process, one clock: what is left is half of the round trip.
  const { offsetMs, roundTripMs, dateOffsetMs } = lab.clock ?? { offsetMs: NaN, roundTripMs: NaN, dateOffsetMs: NaN }
  expect(roundTripMs).toBeGreaterThan(0)
  expect(Math.abs(offsetMs)).toBeLessThanOrEqual(roundTripMs / 2)
  // The time of day may have been set since the process began.
  expect(Math.abs(dateOffsetMs - (Date.now() - performance.now()))).toBeLessThanOrEqual(roundTripMs / 2 + 20)
})

it('sends nothing while it is away, and comes back by itself', async () => {
  const lab = link()
  expect(lab.send({ type: 'stall', ms: 0 })).toBe(false)
  lab.open()
  await eventually(() => lab.status === 'open', 'open')
  server.cut()
  await eventually(() => lab.status === 'away', 'away')
  expect(lab.send({ type: 'stall', ms: 0 })).toBe(false)
  await eventually(() => lab.status === 'open', 'open again')
  expect(lab.told).toEqual(['opening', 'open', 'away', 'opening', 'open'])
  expect(lab.send({ type: 'members', room: 'lobby' })).toBe(true)
})

it('is begun again at once where a session came since', async () => {
  const known = ann
  ann = { ...ann, cookie: '' }
  const lab = link()
  lab.open()
  await eventually(() => lab.status === 'away', 'sent away without a session')
  ann = known
  const from = performance.now()
  lab.open()
  await eventually(() => lab.status === 'open' && lab.clock !== undefined, 'open')
  expect(performance.now() - from).toBeLessThan(400)
})

it('does not ask again where there is no lab', async () => {
  const without = await startServer({ lab: false })
  ann = await member(without.url)
  const lab = link(without.url)
  lab.open()
  await eventually(() => lab.status === 'absent', 'absent')
  lab.open()
  expect(lab.status).toBe('absent')
  expect(lab.told).toEqual(['opening', 'away', 'absent'])
  await without.close()
})

it('answers who is here with how long each was not heard, and what that proves', async () => {
  const lab = link()
  const answers: unknown[] = []
  lab.on('members', ({ room, list }) => answers.push({ room, list }))
  lab.open()
  await eventually(() => lab.status === 'open', 'open')
  await fetch(`${server.url}/rooms/attic/poll?since=earliest`, { headers: { cookie: ann.cookie } })
  await eventually(() => {
    lab.send({ type: 'members', room: 'attic' })
    return answers.length > 0
  }, 'an answer')
  expect(answers[0]).toEqual({
    room: 'attic',
    list: [{ id: ann.member.id, name: 'Ann', wires: [{ transport: 'poll', seenMs: expect.any(Number), leaseMs: 10_000 }] }],
  })
})
