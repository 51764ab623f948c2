/** What proxies do that were set up for pages, not for streams: they gather answers, drop upgrades and cut who is silent. */

/** So much of an answer is gathered, in bytes: a page of memory, as nginx has it (`proxy_buffering on`, its default). */
const gatheredBytes = 4_096

/** Reads ahead of what the client was sent, and leaves no trace. */
export interface Scout {
  /** No answer is under way behind what was read. */
  readonly whole: boolean
  read(bytes: Buffer): void
}

/**
 * Holds an answer back until there are 4 KiB of it or it ends. Unlike nginx it obeys no `X-Accel-Buffering: no`: it stands
 * for those that have never heard of it.
 */
export class Gatherer {
  readonly #scoutFrom: () => Scout
  #scout: Scout | undefined
  #held: Buffer[] = []
  #bytes = 0

  /** `scoutFrom` makes a scout that stands behind all that has left. */
  constructor(scoutFrom: () => Scout) {
    this.#scoutFrom = scoutFrom
  }

  /** Takes these pieces, and returns what leaves now: nothing, or all that there is. */
  take(pieces: readonly Buffer[]): readonly Buffer[] {
    this.#scout ??= this.#scoutFrom()
    let bytes = this.#bytes
    for (const piece of pieces) {
      this.#scout.read(piece)
      bytes += piece.length
    }
    if (bytes >= gatheredBytes || this.#scout.whole) return [...this.flush(), ...pieces]
    this.#bytes = bytes
    // Copies: whoever wrote these is told that they were taken, and may write over them.
    for (const piece of pieces) this.#held.push(Buffer.from(piece))
    return []
  }

  /** All that is held leaves now. */
  flush(): readonly Buffer[] {
    const held = this.#held
    this.#held = []
    this.#bytes = 0
    this.#scout = undefined
    return held
  }
}

/** A request's head, its blank line included, as a proxy passes it on that knows no upgrade. */
export function withoutUpgrade(head: Buffer): Buffer {
  const text = head
    .toString('latin1')
    .replace(/\r\nupgrade:.*(?:\r\n[ \t].*)*/gi, '')
    .replace(/\r\n(connection:)(.*)/gi, (_line, name: string, value: string) => {
      const tokens = value.split(',').map((token) => token.trim())
      const others = tokens.filter((token) => token.toLowerCase() !== 'upgrade')
      return others.length === 0 ? '' : `\r\n${name} ${others.join(', ')}`
    })
  return Buffer.from(text, 'latin1')
}

/** Calls `cut` once nothing has passed for so many ms. */
export class IdleCut {
  readonly #ms: number
  readonly #cut: () => void
  #passedAt = performance.now()
  #timer: NodeJS.Timeout

  constructor(ms: number, cut: () => void) {
    this.#ms = ms
    this.#cut = cut
    this.#timer = this.#lookIn(ms)
  }

  /** Something has passed. The timer notices when it fires, not each time. */
  passed(): void {
    this.#passedAt = performance.now()
  }
  stop(): void {
    clearTimeout(this.#timer)
  }

  #lookIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      const left = this.#passedAt + this.#ms - performance.now()
      if (left <= 0) this.#cut()
      else this.#timer = this.#lookIn(Math.ceil(left))
    }, ms).unref()
  }
}
