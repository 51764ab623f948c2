/** What a page sends over `/lab/events`, as it comes from JSON: an order, or refused. */
import { transportNames } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'
import { type Chaos, chaosLimits, type CutOrder, type LabOrder, proxyKinds } from './events.ts'

/** The one gate for what a page sends. @throws Problem `invalid-request` that says what is wrong */
export function parseOrder(value: unknown): LabOrder {
  const order = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  switch (order['type']) {
    case 'bytes':
      return { type: 'bytes', connection: within(order, 'connection'), block: within(order, 'block') }
    case 'chaos':
      return { type: 'chaos', chaos: parseChaos(order['chaos']) }
    case 'stall':
      return { type: 'stall', ms: within(order, 'ms', chaosLimits.stallMs) }
    case 'black-hole':
      return { type: 'black-hole', ms: within(order, 'ms', chaosLimits.blackHoleMs) }
    case 'cut':
      return parseCut(order)
    case 'clock':
      return { type: 'clock', sent: finite(order, 'sent') }
    case 'say':
      return { type: 'say', id: text(order, 'id'), room: text(order, 'room'), text: text(order, 'text') }
    case 'members':
      return { type: 'members', room: text(order, 'room') }
  }
  throw new Problem('invalid-request', 'An order has a type: bytes, chaos, stall, black-hole, cut, clock, say or members.')
}

function parseChaos(value: unknown): Chaos {
  const chaos = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const proxy = proxyKinds.find((kind) => kind === chaos['proxy'])
  if (proxy === undefined) throw new Problem('invalid-request', `proxy is one of ${proxyKinds.join(', ')}.`)
  return {
    delayMs: within(chaos, 'delayMs', chaosLimits.delayMs),
    jitterMs: within(chaos, 'jitterMs', chaosLimits.jitterMs),
    readBytesPerSecond: within(chaos, 'readBytesPerSecond', chaosLimits.readBytesPerSecond),
    proxy,
  }
}

/** @throws Problem `invalid-request` */
export function parseCut({ how, transport }: Record<string, unknown>): CutOrder {
  if (how !== 'fin' && how !== 'rst') throw new Problem('invalid-request', 'how is fin or rst.')
  if (transport === undefined) return { type: 'cut', how }
  const known = transportNames.find((name) => name === transport)
  if (known === undefined) throw new Problem('invalid-request', `transport is one of ${transportNames.join(', ')}.`)
  return { type: 'cut', how, transport: known }
}

function within(order: Record<string, unknown>, name: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = order[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most) return value
  throw new Problem('invalid-request', `${name} is a whole number from 0 to ${most}.`)
}

function finite(order: Record<string, unknown>, name: string): number {
  const value = order[name]
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new Problem('invalid-request', `${name} is a number.`)
}

function text(order: Record<string, unknown>, name: string): string {
  const value = order[name]
  if (typeof value === 'string') return value
  throw new Problem('invalid-request', `${name} is a text.`)
}
