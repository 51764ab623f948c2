/** A well-behaved member, whose every request has a connection of its own: at the end none waits in a pool. */
import type { Ack } from '../../src/protocol/message.ts'

const headers = { 'content-type': 'application/json', connection: 'close' } as const

export class Guest {
  readonly #url: string
  /** The value of a `Cookie` header. */
  readonly cookie: string

  private constructor(url: string, cookie: string) {
    this.#url = url
    this.cookie = cookie
  }

  static async enter(url: string, name: string): Promise<Guest> {
    const response = await fetch(`${url}/session`, { method: 'POST', headers, body: JSON.stringify({ name }) })
    await response.arrayBuffer()
    return new Guest(url, (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '')
  }

  /** Undefined where it is not taken. */
  async say(room: string, id: string, text: string): Promise<Ack | undefined> {
    const said = { method: 'POST', headers: { ...headers, cookie: this.cookie }, body: JSON.stringify({ id, text }) }
    const response = await fetch(`${this.#url}/rooms/${room}/messages`, said)
    const answer: unknown = await response.json()
    return response.ok ? (answer as Ack) : undefined
  }

  async leave(): Promise<void> {
    await fetch(`${this.#url}/session`, { method: 'DELETE', headers: { connection: 'close', cookie: this.cookie } })
  }
}
