/** WebSocket: one socket both ways; publishing goes up the same socket. */
import { encodePublish, encodeState, parseCloseReason, parseServerFrame } from '../../protocol/frame.ts'
import type { Ack, Batch } from '../../protocol/message.ts'
import { firstBatchMs, type OpenTransport, silentMs } from './transport.ts'

interface Waiting {
  readonly resolve: (ack: Ack) => void
  readonly reject: (error: Error) => void
}

export const websocket: OpenTransport = (http, { known }) => {
  const publishes = new Map<string, Waiting>()
  let socket: WebSocket | undefined

  return {
    name: 'websocket',

    async *receive(since, signal, expect) {
      const inbox: Batch[] = []
      let begun = false
      let end: Error | 'ended' | undefined
      let wake = (): void => {}
      const finish = (why: Error | 'ended'): void => {
        end ??= why
        wake()
      }
      expect(firstBatchMs)
      socket = http.platform.socket(http.address('websocket', { since, ...known() }).replace(/^http/, 'ws'))
      const close = socketHandlers(socket, publishes, {
        batch: (batch) => {
          inbox.push(batch)
          wake()
        },
        byte: () => {
          if (begun) expect(silentMs)
        },
        ended: finish,
      })
      const abort = (): void => finish(signal.reason as Error)
      signal.addEventListener('abort', abort)
      try {
        for (;;) {
          for (let batch = inbox.shift(); batch !== undefined; batch = inbox.shift()) {
            begun = true
            expect(silentMs)
            yield batch
          }
          if (end !== undefined) break
          await new Promise<void>((resolve) => (wake = resolve))
        }
        if (end !== 'ended') throw end
      } finally {
        signal.removeEventListener('abort', abort)
        close()
      }
    },

    send: (draft, signal) =>
      new Promise((resolve, reject) => {
        const up = open(socket)
        publishes.set(draft.id, { resolve, reject })
        signal.addEventListener('abort', () => reject(signal.reason as Error))
        up.send(encodePublish(draft))
      }),

    state: async (state) => open(socket).send(encodeState(state)),
  }
}

/** @throws Error where nothing can be sent */
function open(socket: WebSocket | undefined): WebSocket {
  if (socket?.readyState !== 1) throw new Error('no wire is open')
  return socket
}

interface Heard {
  readonly batch: (batch: Batch) => void
  readonly byte: () => void
  readonly ended: (why: Error | 'ended') => void
}

function socketHandlers(socket: WebSocket, publishes: Map<string, Waiting>, heard: Heard): () => void {
  const lose = (): void => {
    for (const { reject } of publishes.values()) reject(new Error('the socket closed'))
    publishes.clear()
  }
  socket.onmessage = ({ data }) => {
    heard.byte()
    const frame = parseServerFrame(String(data))
    if (frame?.kind === 'batch') return heard.batch(frame.batch)
    const id = frame?.kind === 'ack' ? frame.ack.id : frame?.id
    const waiting = id === undefined ? undefined : publishes.get(id)
    if (frame === undefined || id === undefined || waiting === undefined) return
    publishes.delete(id)
    if (frame.kind === 'ack') waiting.resolve(frame.ack)
    else waiting.reject(frame.problem)
  }
  // Of an error a browser tells nothing; a close always follows.
  socket.onerror = () => {}
  socket.onclose = ({ code, reason }) => {
    lose()
    heard.ended(parseCloseReason(reason) ?? (code === 1000 ? 'ended' : new Error(`the socket closed with ${code}`)))
  }
  return () => {
    socket.onmessage = null
    lose()
    socket.close()
  }
}
