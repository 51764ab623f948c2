/** Drawing: everything that a fuzzed input is made of comes from a seed, its target and its number, and from nothing else. */
import { seededRandom } from '../../bench/statistics.ts'

/** Odd, and far from a small ratio of 2^32: neighbours get seeds that share little (Knuth, TAOCP 3, 6.4). */
const golden = 0x9e3779b1

export class Random {
  readonly #next: () => number

  /** `salt` tells apart what is drawn for different ends under the same number. */
  constructor(seed: number, salt: string, number: number) {
    let mixed = seed >>> 0
    for (const unit of salt) mixed = Math.imul(mixed ^ unit.charCodeAt(0), golden)
    this.#next = seededRandom((mixed ^ Math.imul(number + 1, golden)) >>> 0)
  }

  /** A whole number from 0, below `end`. */
  below(end: number): number {
    return Math.floor(this.#next() * end)
  }
  from(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }
  chance(share: number): boolean {
    return this.#next() < share
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }
  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }
  /** `make` called `count` times. */
  many<T>(count: number, make: (index: number) => T): T[] {
    return Array.from({ length: count }, (_, index) => make(index))
  }
}
