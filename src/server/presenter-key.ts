/** What proves the presenter: a text that was printed where the server was started, and nowhere else. */
import type { FastifyRequest } from 'fastify'
import { createHash, timingSafeEqual } from 'node:crypto'
import { Problem } from '../protocol/problem.ts'
import { randomText } from '../protocol/random.ts'
import { Rate } from './rate.ts'

/** Wrong keys that an address may send at once, and how long one of them weighs on it, in ms. */
const wrongKeys = 10
const wrongKeyMs = 10_000

/** 96 random bits, of which an address may try six a minute. */
export const drawPresenterKey = (): string => randomText(16)

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

export class PresenterKey {
  readonly #digest: Buffer
  readonly #wrong = new Rate(1000 / wrongKeyMs, wrongKeys)

  constructor(key: string) {
    this.#digest = digest(key)
  }

  /**
   * Does this request carry the key, as `Authorization: Bearer <key>`? `known`: it comes from a session that has shown it before,
   * which no neighbour behind the same address can lock out.
   * @throws Problem `rate-limited` where its address has sent too many wrong ones, without a look at this one: guessing is no use
   */
  proves({ headers: { authorization }, ip }: FastifyRequest, known: boolean): boolean {
    const [, sent] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? []
    if (sent === undefined) return false
    const retryAfterMs = known ? 0 : this.#wrong.waitMs(ip)
    if (retryAfterMs > 0) throw new Problem('rate-limited', 'This address has sent too many wrong keys.', { retryAfterMs })
    // Of equal length, in constant time: how far a guess was right is not told by how long it takes.
    if (timingSafeEqual(digest(sent), this.#digest)) return true
    this.#wrong.take(ip)
    return false
  }
}
