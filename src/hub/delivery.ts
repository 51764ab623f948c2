/** One batch on its way to many: encoded at most once per envelope, shared by every subscriber at that cursor. */
import type { Aside, Batch } from '../protocol/message.ts'

/**
 * Does this aside come before messages, to who asks again after each answer? Members do: they are told once a second at
 * the most. Of states there is something new at almost every question, and in a lively room of messages too: one of two
 * times, so that whatever the round trip neither keeps the other from coming.
 */
export const goesFirst = (aside: Aside): boolean => aside === 'members' || Math.random() < 0.5

/** How a transport wraps a delivery into the bytes that it writes. Pure; the same function each time. */
export type Envelope = (delivery: Delivery) => Uint8Array

export class Delivery {
  readonly batch: Batch
  #json: string | undefined
  readonly #encoded = new Map<Envelope, Uint8Array>()

  constructor(batch: Batch) {
    this.batch = batch
  }

  /** The batch's JSON, the same on all four wires. */
  get json(): string {
    this.#json ??= JSON.stringify(this.batch)
    return this.#json
  }

  /** These bytes in that envelope, made at the first call. */
  as(envelope: Envelope): Uint8Array {
    let bytes = this.#encoded.get(envelope)
    if (bytes === undefined) {
      bytes = envelope(this)
      this.#encoded.set(envelope, bytes)
    }
    return bytes
  }
}

/** The bare JSON: the body of a poll's and a long poll's answer. */
export const bareJson: Envelope = (delivery) => Buffer.from(delivery.json)
