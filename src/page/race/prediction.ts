/** What the model says of the flip, fed with what this browser's own questions and answers weigh. */
import { batchBytes, type Constants, measured } from '../../model/constants.ts'
import { bytesPerMessage, crossover, type Load } from '../../model/cost.ts'
import { poll } from '../../model/pull.ts'
import { sse, websocket } from '../../model/push.ts'
import type { Dials } from './dials.ts'
import type { Weights } from './ledger.ts'

/** What is known of the wires now. */
export interface Weighed {
  readonly poll: Weights
  readonly sse: Weights
  /** A frame or an event and what was in it, over a while: so many batches with so many messages. */
  readonly pushed: { readonly payload: number; readonly batches: number; readonly messages: number }
  /** A cursor of this room. */
  readonly cursor: string
  readonly roundTripMs: number
}

export interface Prediction {
  /** One poll that brings nothing, there and back, in bytes. */
  readonly emptyPoll: number
  /** From this rate on polling needs fewer bytes than the other, in messages a second; undefined where it never does up to `most`. */
  readonly belowSse: number | undefined
  readonly belowWebSocket: number | undefined
  /** Bytes a message at the rate that is set. */
  readonly poll: number
  readonly sse: number
  readonly websocket: number
}

/** Fewer say little. */
const leastQuestions = 3
const range = { from: 0.1, to: 1_000 }

/** Undefined until every kind has been weighed. */
export function predict(dials: Dials, { poll: asked, sse: events, pushed, cursor, roundTripMs }: Weighed): Prediction | undefined {
  if (asked.requests < leastQuestions || asked.answers < leastQuestions || events.answers === 0 || pushed.messages === 0) return undefined
  const emptyBatch = '{"messages":[],"cursor":""}'.length + cursor.length
  // A batch of k messages has k − 1 commas.
  const payload = (pushed.payload - pushed.batches * (emptyBatch - 1)) / pushed.messages - 1
  const batch = asked.answerPayload / asked.answers
  const event = events.answerPayload / events.answers
  const constants: Constants = {
    ...measured,
    emptyBatch,
    requestHead: asked.requestBytes / asked.requests,
    // Without the digits of a length: they are counted with the body, of whatever length it is.
    responseHead: asked.answerFraming / asked.answers - Math.round(batch).toString().length,
    eventFraming: events.answerFraming / events.answers - Math.round(event).toString(16).length,
  }
  const load = (rate: number): Load => ({ rate, payload, roundTripMs, arrivals: 'periodic' })
  const cost = {
    poll: (rate: number) => bytesPerMessage(poll(load(rate), { intervalMs: dials.pollMs, fromAnswer: true }, constants), load(rate)),
    sse: (rate: number) => bytesPerMessage(sse(load(rate), {}, constants), load(rate)),
    websocket: (rate: number) => bytesPerMessage(websocket(load(rate), {}, constants), load(rate)),
  }
  return {
    emptyPoll: constants.requestHead + constants.responseHead + String(emptyBatch).length + batchBytes(0, 0, constants),
    belowSse: crossover(cost.poll, cost.sse, range),
    belowWebSocket: crossover(cost.poll, cost.websocket, range),
    poll: cost.poll(dials.rate),
    sse: cost.sse(dials.rate),
    websocket: cost.websocket(dials.rate),
  }
}
