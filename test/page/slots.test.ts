/** Who holds a browser's six connections, from what the lab reports. */
import { describe, expect, it } from 'vitest'
import type { Block, ConnectionState, Counts, Report } from '../../src/lab/events.ts'
import { HeldConnections, slotSentences } from '../../src/page/slots/slots.ts'

const open = (connection: number, counts: Counts = {}, more: Partial<ConnectionState> = {}): ConnectionState => ({
  connection,
  port: 50_000 + connection,
  openedAt: 0,
  requests: 1,
  up: { bytes: 0, counts: {} },
  down: { bytes: 0, counts },
  ...more,
})
const response = (connection: number, exchange: number): Block => ({
  connection,
  block: 2 * exchange,
  direction: 'down',
  what: 'response',
  at: 0,
  until: 0,
  exchange,
  detail: '200 OK',
  pieces: [],
})
const report = (connections: readonly ConnectionState[], blocks: readonly Block[] = []): Report => ({
  type: 'report',
  at: 0,
  connections,
  blocks,
  skipped: 0,
  observer: { up: 0, down: 0 },
})
const sizeAfter = (...reports: readonly Report[]): number => {
  const held = new HeldConnections()
  for (const each of reports) held.take(each)
  return held.size
}

describe('a connection is held', () => {
  it('while nothing is known of its answer', () => expect(sizeAfter(report([open(1)]))).toBe(1))
  it('not while it is idle', () => expect(sizeAfter(report([open(1)], [response(1, 1)]))).toBe(0))
  it('again with its next request', () => {
    expect(sizeAfter(report([open(1)], [response(1, 1)]), report([open(1, {}, { requests: 2 })]))).toBe(1)
  })
  it('by a stream, whose head has passed long since', () => {
    expect(sizeAfter(report([open(1)], [response(1, 1)]), report([open(1, { field: 20, payload: 40 })]))).toBe(1)
  })
  it('not by a WebSocket, which browsers count otherwise', () => expect(sizeAfter(report([open(1, { 'frame-header': 2 })]))).toBe(0))
  it('not once it is closed, nor where it is not ours', () => {
    expect(sizeAfter(report([open(1), open(2)]), report([open(1, {}, { closedAt: 5 }), open(2, {}, { hidden: true })]))).toBe(0)
  })
})

it('says who holds them, as far as is known, and what was done', () => {
  const tabs = [
    { room: 'lobby', transport: 'sse' },
    { room: 'lobby', transport: 'sse' },
    { room: 'attic', transport: 'long-poll' },
  ] as const
  const text = slotSentences('waiting', 'sse', tabs).join(' ').replaceAll('\u202f', ' ')
  expect(text).toContain('opens 6 connections to one address, and this one holds all 6')
  expect(text).toContain('3 of them in other tabs of this page (2 × SSE in lobby, 1 × long polling in attic)')
  expect(text).toContain('SSE here waits for a connection')
  expect(slotSentences('last', 'long-poll', []).join(' ')).toContain('With long polling this tab held the last')
})
