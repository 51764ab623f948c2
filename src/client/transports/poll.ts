/** Polling: asks again and again, after each answer and never beside it. */
import { sleep } from '../backoff.ts'
import { answerMs } from '../http.ts'
import type { OpenTransport } from './transport.ts'

/** So seldom browsers let the timers of a page come that nobody has seen for minutes (Node has none): what it asks last has to hold for that. */
const hiddenMs = 60_000

export const poll: OpenTransport = (http, { pollMs, known }) => ({
  name: 'poll',

  async *receive(since, signal, expect) {
    for (;;) {
      expect(answerMs)
      const batch = await http.batch('poll', { since, ...known(), every: globalThis.document?.hidden ? hiddenMs : pollMs }, signal)
      yield batch
      if (batch.retryMs !== undefined) return
      since = batch.cursor
      if (batch.more) continue
      expect(pollMs + answerMs)
      await sleep(pollMs, signal)
    }
  },

  send: http.publish,
  state: http.state,
})
