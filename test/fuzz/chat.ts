/** People who chat while others send garbage: four readers, one on each wire, to whom every message comes once and in order. */
import { node } from '../../src/client/node.ts'
import { transportNames } from '../../src/protocol/message.ts'
import { Follower } from '../support/follower.ts'
import { Guest } from './guest.ts'

const everyMs = 100
const room = 'company'

export class Chat {
  readonly #guest: Guest
  readonly #followers: readonly Follower[]
  readonly #said: string[] = []
  readonly #stopping = new AbortController()
  #saying: Promise<void> = Promise.resolve()

  private constructor(guest: Guest, followers: readonly Follower[]) {
    this.#guest = guest
    this.#followers = followers
  }

  static async begin(url: string): Promise<Chat> {
    const guest = await Guest.enter(url, 'Healthy')
    // Connections that are left with their last answer: at the end none waits in a pool.
    const followers = transportNames.map((transport) => new Follower({ url, room, transport }, node({ connection: 'close' })))
    const chat = new Chat(guest, followers)
    await Promise.all(followers.map((follower) => follower.live()))
    chat.#saying = chat.#talk()
    return chat
  }

  get said(): number {
    return this.#said.length
  }

  /** Everybody has heard everything, and leaves. Says who did not, and what. */
  async end(): Promise<string | undefined> {
    this.#stopping.abort()
    await this.#saying
    const late = await Promise.all(this.#followers.map((follower) => follower.count(this.#said.length).then(() => undefined, String)))
    const wrong = this.#followers.flatMap((follower, index) => {
      const same = follower.texts.length === this.#said.length && follower.texts.every((text, at) => text === this.#said[at])
      return same && follower.gaps.length === 0
        ? []
        : [
            `${transportNames[index]}: ${follower.texts.length} of ${this.#said.length} messages, ${follower.gaps.length} gaps ${late[index] ?? ''}`,
          ]
    })
    for (const { channel } of this.#followers) channel.close()
    await this.#guest.leave()
    return wrong.length === 0 ? undefined : `the chat alongside lost messages: ${wrong.join('; ')}`
  }

  async #talk(): Promise<void> {
    for (let number = 0; !this.#stopping.signal.aborted; number++) {
      const text = `message ${number}`
      await this.#say(`chat-${String(number).padStart(6, '0')}`, text)
      this.#said.push(text)
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  }

  /** The same id until it is taken. */
  async #say(id: string, text: string): Promise<void> {
    for (let attempt = 0; attempt < 20; attempt++) {
      const ack = await this.#guest.say(room, id, text).catch(() => undefined)
      if (ack !== undefined) return
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
    throw new Error('a healthy publish is refused for 2 s')
  }
}
