/** Server-sent events, read through `fetch`: one path for browser and Node, with the status visible. */
import { EventStreamDecoder, eventStreamType } from '../../protocol/event-stream.ts'
import { isBatch, isHeartbeat } from '../../protocol/message.ts'
import { Problem } from '../../protocol/problem.ts'
import { firstBatchMs, type OpenTransport, silentMs } from './transport.ts'

export const sse: OpenTransport = (http, { observe, known }) => ({
  name: 'sse',

  async *receive(since, signal, expect) {
    expect(firstBatchMs)
    const response = await http.get('sse', { since, ...known() }, signal)
    if (!response.headers.get('content-type')?.startsWith(eventStreamType) || response.body === null) {
      throw new Error('no event stream')
    }
    const reader = response.body.getReader()
    const decoder = new EventStreamDecoder()
    let begun = false
    try {
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        if (begun) expect(silentMs)
        for (const { event, data } of decoder.push(chunk.value)) {
          const value: unknown = JSON.parse(data)
          if (event === 'problem') throw Problem.from(value) ?? new Error('the server ended the stream')
          if (!isBatch(value)) continue
          // A stream cannot say that somebody reads it. On a heartbeat, since timers of hidden tabs come late.
          if (begun && !observe && isHeartbeat(value)) http.lease(signal).catch(() => {})
          yield value
          begun = true
          expect(silentMs)
        }
      }
    } finally {
      reader.cancel().catch(() => {})
    }
  },

  send: http.publish,
  state: http.state,
})
