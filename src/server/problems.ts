/** Problems at the edge: whatever was thrown becomes a row of the table, and the row an answer. */
import type { FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { Problem, type ProblemCode } from '../protocol/problem.ts'

export const problemType = 'application/problem+json; charset=utf-8'

/** What Fastify itself refuses, in our words. */
const byFastifyCode: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_EMPTY_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid-json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid-request',
  FST_ERR_BAD_URL: 'invalid-request',
  FST_ERR_MAX_PARAM_LENGTH: 'uri-too-long',
  FST_ERR_NOT_FOUND: 'not-found',
}

/** The problem that an error is: a fault of our own is `internal`, is logged, and tells nothing of its inside. */
export function problemOf(error: unknown, log: FastifyBaseLogger): Problem {
  if (error instanceof Problem) return error
  const { code, statusCode } = error as Partial<FastifyError>
  const known = code === undefined ? undefined : byFastifyCode[code]
  if (known !== undefined) return new Problem(known)
  if (statusCode !== undefined && statusCode < 500) return new Problem('invalid-request')
  log.error(error)
  return new Problem('internal')
}

/** Fastify's error handler. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // A file whose reader has gone stops with it: that is no fault of ours, and nobody is there to be told.
  const gone = (error as Partial<NodeJS.ErrnoException> | null)?.code === 'ERR_STREAM_PREMATURE_CLOSE' && request.raw.socket.destroyed
  if (gone) return answerProblem(reply, new Problem('internal'))
  return answerProblem(reply, problemOf(error, request.log))
}

export function answerProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  if (problem.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(problem.retryAfterMs / 1000))
  // The socket of an upgrade has left Node's hands: it is not kept for another request.
  if (reply.request.ws) reply.header('connection', 'close')
  if (problem.code === 'upgrade-required') reply.headers({ upgrade: 'websocket', 'sec-websocket-version': '13', connection: 'upgrade' })
  return reply.code(problem.status).header('cache-control', 'no-store').type(problemType).send(JSON.stringify(problem))
}

/** The same as bytes, for a socket that has no reply any more or none yet. The connection ends with it. */
export function rawProblem(problem: Problem): string {
  const body = JSON.stringify(problem)
  return [
    `HTTP/1.1 ${problem.status} ${problem.toJSON().title}`,
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
    '',
    body,
  ].join('\r\n')
}
