/** Who is told to be in a room while something happens to them: how many at once, and who was told to come and to go. */
import type { Present } from '../../src/protocol/message.ts'
import { Follower } from './follower.ts'

export class Attendants implements Disposable {
  /** As of now: the most that were here at once, and how many were told to come and to go since the beginning. */
  readonly counts = { most: 0, came: 0, went: 0 }
  readonly #here = new Set<string>()
  readonly #follower: Follower

  private constructor(follower: Follower) {
    this.#follower = follower
    follower.channel.on('batch', ({ members }) => {
      for (const [id, present] of Object.entries<Present | null>(members?.list ?? {})) this.#change(id, present !== null)
    })
  }

  /** An observer of the room: nobody itself. */
  static async of(url: string, room: string): Promise<Attendants> {
    const attendants = new Attendants(new Follower({ url, room, transport: 'websocket', observe: true, members: true }))
    await attendants.#follower.live()
    return attendants
  }

  /** Resolves once so many are here. */
  number(size: number): Promise<void> {
    return this.#follower.until(`${size} here`, () => this.#here.size === size)
  }

  /** Resolves once this one is not here, or again not. */
  without(id: string): Promise<void> {
    return this.#follower.until(`${id} has gone`, () => !this.#here.has(id))
  }

  has(id: string): boolean {
    return this.#here.has(id)
  }

  #change(id: string, here: boolean): void {
    if (here && !this.#here.has(id)) this.counts.came++
    if (!here && this.#here.has(id)) this.counts.went++
    if (here) this.#here.add(id)
    else this.#here.delete(id)
    this.counts.most = Math.max(this.counts.most, this.#here.size)
  }

  [Symbol.dispose](): void {
    this.#follower[Symbol.dispose]()
  }
}
