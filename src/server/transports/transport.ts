/** What the four siblings have in common: each is a function that adds its route to an application. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Subscription } from '../../hub/subscription.ts'
import type { Meter } from '../metrics.ts'
import type { Rooms } from '../rooms.ts'

/** Adds `/rooms/:room/<name>` to the application. */
export type Transport = (app: FastifyInstance, rooms: Rooms) => void

/** Of every answer that changes. */
export const noStore = { 'cache-control': 'no-store' } as const

/** Of every batch in a body of its own. */
export const batchHeaders = { ...noStore, 'content-type': 'application/json; charset=utf-8' } as const

/** `ms` give or take a share of it: what happens to many is not to happen to all at once. */
export const jittered = (ms: number, share: number): number => Math.round(ms * (1 - share + Math.random() * 2 * share))

/** A held answer: counted while it is open, and its subscription ends with it. */
export function leaveOnClose(answer: FastifyReply['raw'], meter: Meter, subscription: Subscription): void {
  meter.connections++
  const closed = (): void => {
    meter.connections--
    subscription.leave()
  }
  // Whoever went while it was being admitted has closed already, and will not again.
  if (answer.destroyed) closed()
  else answer.once('close', closed)
}
