/** One author on one WebSocket: says what is stamped with its time, at a pace. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { now } from '../../../bench/clock.ts'
import { drawId } from '../../../src/protocol/draft.ts'
import type { Ack } from '../../../src/protocol/message.ts'

export class Publisher {
  /** From saying to the acknowledgement, in ms. */
  readonly answers: number[] = []
  readonly acked: Ack[] = []
  readonly #socket: WebSocket
  readonly #waiting = new Map<string, { readonly since: number; readonly resolve: () => void }>()
  refused = 0

  static async enter(port: number, room: string): Promise<Publisher> {
    const response = await fetch(`http://127.0.0.1:${port}/session`, { method: 'POST' })
    await response.text()
    const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const socket = new WebSocket(`ws://127.0.0.1:${port}/rooms/${room}/websocket`, { headers: { cookie }, perMessageDeflate: false })
    await once(socket, 'message')
    return new Publisher(socket)
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('message', (data: Buffer) => {
      const { type, id, ...rest } = JSON.parse(data.toString()) as { type?: string; id?: string } & Ack
      const sent = this.#waiting.get(id ?? '')
      if (type === undefined || sent === undefined) return
      this.#waiting.delete(id)
      this.answers.push(now() - sent.since)
      if (type === 'ack') this.acked.push({ id, ...rest })
      else this.refused++
      sent.resolve()
    })
  }

  /** Resolves once it is answered. */
  say(text = `t=${now()}`): Promise<void> {
    return new Promise((resolve) => {
      const id = drawId()
      this.#waiting.set(id, { since: now(), resolve })
      this.#socket.send(JSON.stringify({ type: 'publish', id, text }))
    })
  }

  /** So many a second for so long, whatever the answers (an open loop); a stamp is of when it was due. */
  async steady(perSecond: number, seconds: number): Promise<void> {
    const begun = now()
    const said: Promise<void>[] = []
    for (let n = 0; n < perSecond * seconds; n++) {
      const due = begun + (n * 1_000) / perSecond
      if (due > now()) await sleep(due - now())
      said.push(this.say(`t=${due}`))
    }
    await Promise.race([Promise.all(said), sleep(10_000)])
  }

  leave(): void {
    this.#socket.terminate()
  }
}
