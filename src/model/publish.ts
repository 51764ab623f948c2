/** What sending costs: a POST beside the three wires that only receive, a frame on the WebSocket. */
import { type Constants, exchangeSegments, frameHead, mask, measured } from './constants.ts'

export type Wire = 'poll' | 'long-poll' | 'sse' | 'websocket'

/** Of one published message. */
export interface PublishCost {
  readonly bytesUp: number
  readonly bytesDown: number
  readonly segments: number
}

/** What a frame has beside a body: `"type":"publish",` and `"type":"ack",`. */
const publishType = 17
const ackType = 13

/**
 * Publishing a draft, `{"id":"…","text":"…"}` of so many bytes, and its ack. POST: up Pq + draft, down Ps. WebSocket: a masked
 * frame up, a frame down. On a warm connection both are R/2 away from the server: WebSocket saves bytes here, not time.
 */
export function publish(wire: Wire, draft: number, constants: Constants = measured): PublishCost {
  if (wire !== 'websocket') return { bytesUp: constants.postHead + draft, bytesDown: constants.postAnswer, segments: exchangeSegments }
  const up = draft + publishType
  const down = constants.ack + ackType
  return { bytesUp: frameHead(up) + mask + up, bytesDown: frameHead(down) + down, segments: exchangeSegments }
}

/** The same with the heads of TCP and IP. */
export const publishIpBytes = ({ bytesUp, bytesDown, segments }: PublishCost, { segment }: Constants = measured): number =>
  bytesUp + bytesDown + segment * segments
