/** What belongs to the process and not to the plugin: time limits, sizes of heads, and answers to what is no request. */
import type { FastifyHttpOptions } from 'fastify'
import { type IncomingMessage, METHODS, type Server, type ServerResponse } from 'node:http'
import { Problem, type ProblemCode } from '../protocol/problem.ts'
import { type ServerOptions, withDefaults } from './options.ts'
import { answerError, problemType, rawProblem } from './problems.ts'
import { noStore } from './transports/transport.ts'

/** Options for `Fastify()`: register the plugin on an application that was made with them. */
export function serverOptions(options: Partial<ServerOptions> = {}): FastifyHttpOptions<Server> {
  const { headerBytes, uriBytes, trustProxy, headersTimeoutMs, requestTimeoutMs, timeoutCheckMs, keepAliveMs } = withDefaults(options)
  return {
    trustProxy: trustProxy.length > 0 && [...trustProxy],
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    routerOptions: { maxParamLength: uriBytes },
    exposeHeadRoutes: false,
    // Who comes while we shut down is told by the contract's problem, not by Fastify's.
    return503OnClosing: false,
    http: {
      maxHeaderSize: headerBytes,
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: timeoutCheckMs,
      // A request without Host is ours to answer.
      requireHostHeader: false,
    },
    clientErrorHandler: (error, socket) => {
      // Within an answer these bytes would be taken for a part of it, behind a whole request for its answer
      // (`_httpMessage` is what Node's own handler asks).
      const { _httpMessage: answer } = socket as { _httpMessage?: ServerResponse | null }
      const answering = answer != null && (answer.headersSent || answer.req.complete)
      if (socket.writable && !answering) socket.write(rawProblem(new Problem(byNodeCode[error.code] ?? 'invalid-request')))
      socket.destroySoon()
    },
    frameworkErrors: (error, request, reply) => {
      reply.header('connection', 'close')
      // An upgrade's socket has left Node's hands, and would stay open past every time limit.
      reply.raw.once('finish', () => request.raw.socket.destroySoon())
      answerError(error, request, reply)
    },
  }
}

const byNodeCode: Readonly<Record<string, ProblemCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  // It ended in its midst: something on the way died, and whoever asked may ask again.
  HPE_INVALID_EOF_STATE: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
}

/** Of expectations only 100-continue is met (RFC 9110, 10.1.1). */
export function answerExpectations(server: Server): void {
  server.on('checkExpectation', (request, response) => {
    answerLast(request, response, new Problem('expectation-failed'))
  })
}

/** The answer to a request that comes to no router, and the end of its connection. */
function answerLast(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
  request.resume()
  response.writeHead(problem.status, { ...noStore, 'content-type': problemType, connection: 'close' })
  response.end(JSON.stringify(problem))
}

const methods: ReadonlySet<string | undefined> = new Set(METHODS)

/**
 * Node's parser takes more methods than HTTP has: those of RTSP with RTSP's version, and PRI too where no version is said. A
 * router has no place for them, not even among what it does not find, and a hook never sees them.
 */
export const hasForeignMethod = ({ method }: IncomingMessage): boolean => !methods.has(method)

/** A method that is not HTTP's is refused as any other word is; upgrades come by themselves (upgrade.ts). */
export function refuseForeignMethods(server: Server): void {
  for (const listener of server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[]) {
    server.off('request', listener)
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (hasForeignMethod(request)) answerLast(request, response, new Problem('invalid-request'))
      else listener.call(server, request, response)
    })
  }
}
