/** The text frames of the WebSocket, both directions. A batch has no `type`; every other frame has one. */
import { type Ack, type Batch, type Draft, isAck, isBatch } from './message.ts'
import { Problem } from './problem.ts'

/** What comes down: a batch, the answer to a publish, or a problem (with the id of the publish that it answers). */
export type ServerFrame =
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'ack'; readonly ack: Ack }
  | { readonly kind: 'problem'; readonly problem: Problem; readonly id: string | undefined }

export const encodePublish = ({ id, text }: Draft): string => JSON.stringify({ type: 'publish', id, text })
export const encodeState = (state: unknown): string => JSON.stringify({ type: 'state', state })
export const encodeAck = (ack: Ack): string => JSON.stringify({ type: 'ack', ...ack })

/** A problem as a frame: its `type` is the frame's, RFC 9457's default stands for the other. */
export const encodeProblem = (problem: Problem, id?: string): string =>
  JSON.stringify({ ...problem.toJSON(), type: 'problem', ...(id !== undefined && { id }) })

/** The longest reason of a close frame, in bytes (RFC 6455, 5.5: 125 with the code's two). */
export const maxCloseReason = 123

/** Why a socket is closed, as its reason: `{"code","retryMs"?}`. */
export const encodeCloseReason = (code: string, retryMs?: number): string =>
  JSON.stringify({ code, ...(retryMs !== undefined && { retryMs }) })

/** What goes up: a publish, which is answered under its id, or a state, which is not answered. */
export type ClientFrame =
  | { readonly kind: 'publish'; readonly id: string | undefined; readonly body: unknown }
  | { readonly kind: 'state'; readonly id: undefined; readonly body: unknown }

/**
 * A frame from a client, parsed from JSON: its body is left for its own gate to look at.
 * @throws Problem `invalid-request` where it is neither.
 */
export function parseClientFrame(value: unknown): ClientFrame {
  const { type, ...body } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  if (type === 'state') return { kind: 'state', id: undefined, body }
  if (type === 'publish') return { kind: 'publish', id: typeof body['id'] === 'string' ? body['id'] : undefined, body }
  throw new Problem('invalid-request', 'A frame is {"type":"publish","id","text"} or {"type":"state","state"}.')
}

/** A frame from the server, or undefined where it is none that this version knows: it is passed over. */
export function parseServerFrame(text: string): ServerFrame | undefined {
  const value = parseObject(text)
  if (value === undefined) return undefined
  const { type, ...rest } = value
  if (type === undefined) return isBatch(value) ? { kind: 'batch', batch: value } : undefined
  if (type === 'ack') return isAck(rest) ? { kind: 'ack', ack: rest } : undefined
  const problem = type === 'problem' ? Problem.from(rest) : undefined
  return problem && { kind: 'problem', problem, id: typeof rest['id'] === 'string' ? rest['id'] : undefined }
}

/** The problem that a close code and its reason tell of, or undefined where they tell of none of ours. */
export function parseCloseReason(reason: string): Problem | undefined {
  const { code, retryMs } = parseObject(reason) ?? {}
  return Problem.from({ code, retryAfterMs: retryMs })
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
