/** Long polling (Comet): asks, and is kept waiting until there is news; one question at a time. */
import { answerMs } from '../http.ts'
import type { OpenTransport } from './transport.ts'

/** How long a question may be held, in seconds. */
const waitSeconds = 25

export const longPoll: OpenTransport = (http, { known }) => ({
  name: 'long-poll',

  async *receive(since, signal, expect) {
    // A quiet room must not hold up a switch: the first question is answered at once.
    for (let wait = 0; ; wait = waitSeconds) {
      expect(wait * 1000 + answerMs)
      const batch = await http.batch('long-poll', { since, ...known(), wait }, signal)
      yield batch
      if (batch.retryMs !== undefined) return
      since = batch.cursor
    }
  },

  send: http.publish,
  state: http.state,
})
