/** Who is told to be in a room while something happens to them: how many at once, and who was told to come and to go. */
import { Follower } from './follower.ts'

export class Attendants implements Disposable {
  /** As of now: the most that were here at once, and how many were told to come and to go since the beginning. */
  readonly counts = { most: 0, came: 0, went: 0 }
  #here: ReadonlySet<string> = new Set()
  readonly #follower: Follower

  private constructor(follower: Follower) {
    this.#follower = follower
    follower.channel.on('members', (members) => this.#change(new Set(members.map(({ id }) => id))))
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

  #change(here: ReadonlySet<string>): void {
    this.counts.came += [...here].filter((id) => !this.#here.has(id)).length
    this.counts.went += [...this.#here].filter((id) => !here.has(id)).length
    this.counts.most = Math.max(this.counts.most, here.size)
    this.#here = here
  }

  [Symbol.dispose](): void {
    this.#follower[Symbol.dispose]()
  }
}
