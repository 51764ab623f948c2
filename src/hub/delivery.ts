/** One batch on its way to many: encoded at most once per envelope, shared by every subscriber at that cursor. */
import type { Batch } from '../protocol/message.ts'

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
