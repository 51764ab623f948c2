/** What a server of one event loop can bear. The coefficients are the machine's: `npm run bench -- requests fan-out idle-cost` measures them. */
import type { Cost } from './cost.ts'

/** CPU time of the server. */
export interface Work {
  /** Of a request and its answer, empty: autocannon on an empty poll. */
  readonly requestMs: number
  /** Of one batch with messages to one client: the slope of a broadcast. */
  readonly sendMs: number
  /** Of one client for one second in which nothing is sent to it. */
  readonly idleMs: number
}

/**
 * U = N (r requestMs + b sendMs + idleMs), r and b the client's requests and batches a second: the share of one core.
 * From 1 on, pulled wires slow down and their batches grow, so that work per message falls; pushed ones queue without bound.
 * Batches are counted, not messages: what is batched is sent once.
 */
export const serverShare = (clients: number, cost: Cost, work: Work): number =>
  (clients * (cost.requestsPerSecond * work.requestMs + cost.batchesPerSecond * work.sendMs + work.idleMs)) / 1000

/** How many clients take the whole core. */
export const maxClients = (cost: Cost, work: Work): number => Math.floor(1 / serverShare(1, cost, work))

/**
 * What a broadcast on one event loop adds to the delay: the k-th of n clients waits for k sends, (n + 1)/2 on average. On long
 * poll each send is an answer and then a question: there `sendMs` is requestMs + sendMs, and n questions come at once behind it.
 */
export const fanOutDelay = (clients: number, sendMs: number): { readonly meanMs: number; readonly maxMs: number } => ({
  meanMs: ((clients + 1) * sendMs) / 2,
  maxMs: clients * sendMs,
})
