/** A subscriber without a wire: what it was given, and bytes that wait for as long as the test says. */
import type { Delivery, Envelope } from '../../src/hub/delivery.ts'
import type { Subscriber } from '../../src/hub/subscription.ts'
import type { Message } from '../../src/protocol/message.ts'
import type { Problem } from '../../src/protocol/problem.ts'

const asJson: Envelope = (delivery) => Buffer.from(delivery.json)

export class Reader implements Subscriber {
  waiting = 0
  readonly deliveries: Delivery[] = []
  /** Why it was closed, with the last batch that went with it. */
  closed: { readonly problem: Problem; readonly last: Delivery | undefined; readonly at: number } | undefined
  cuts = 0
  readonly #envelope: Envelope
  readonly #drained: (() => void)[] = []
  readonly #wire: 'open' | 'full'

  /** On a full wire every byte waits until the test sets `waiting`. */
  constructor({ envelope = asJson, wire = 'open' }: { envelope?: Envelope; wire?: 'open' | 'full' } = {}) {
    this.#envelope = envelope
    this.#wire = wire
  }

  get messages(): Message[] {
    return this.deliveries.flatMap((delivery) => delivery.batch.messages)
  }
  get seqs(): number[] {
    return this.messages.map(({ seq }) => seq)
  }

  deliver(delivery: Delivery): number {
    this.deliveries.push(delivery)
    const bytes = delivery.as(this.#envelope).length
    if (this.#wire === 'full') this.waiting += bytes
    return bytes
  }
  taken(then: () => void): void {
    this.#drained.push(then)
  }
  /** The network takes all that waits. */
  drain(): void {
    this.waiting = 0
    for (const then of this.#drained.splice(0)) then()
  }
  close(problem: Problem, last: Delivery | undefined): void {
    this.closed = { problem, last, at: performance.now() }
  }
  cut(): void {
    this.cuts++
  }
}
