/** Who may ask at all: Host, Origin and the length of the address, on every path, upgrades included. */
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import { Problem } from '../protocol/problem.ts'

export interface GuardOptions {
  readonly allowHost: readonly string[]
  readonly allowOrigin: readonly string[]
  readonly uriBytes: number
}

/** What an allowed foreign origin's page may do: the same as ours (Fetch standard, CORS protocol). */
const foreignHeaders = {
  vary: 'origin',
  'access-control-allow-credentials': 'true',
  'access-control-allow-methods': 'GET, POST, PUT, DELETE',
  'access-control-allow-headers': 'content-type, last-event-id',
}

/**
 * A hook for every request. Host keeps a foreign name from being pointed at this machine (DNS rebinding), Origin keeps
 * foreign pages from using a visitor's cookie: an upgrade has no preflight, so CORS alone would not.
 * @throws Problem `bad-host`, `origin-denied`, `uri-too-long`
 */
export function guard(options: GuardOptions): onRequestHookHandler {
  const machine = hostname().toLowerCase()
  const names = new Set(['localhost', machine, `${machine}.local`, ...options.allowHost.map((name) => name.toLowerCase())])
  const origins = new Set(options.allowOrigin.map((origin) => origin.toLowerCase()))
  return (request, reply, done) => {
    const problem = refuse(request, names, origins, options.uriBytes)
    if (problem !== undefined) return done(new Problem(problem))
    const { origin } = request.headers
    if (origin === undefined || !origins.has(origin.toLowerCase())) return done()
    reply.headers({ ...foreignHeaders, 'access-control-allow-origin': origin })
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) void reply.code(204).send()
    else done()
  }
}

function refuse(request: FastifyRequest, names: ReadonlySet<string>, origins: ReadonlySet<string>, uriBytes: number) {
  const { headers, rawHeaders, url = '' } = request.raw
  if (url.length > uriBytes) return 'uri-too-long'
  const host = headers.host ?? headers[':authority']
  // HTTP/1.0 knows no Host (RFC 9112, 3.2 asks for it since 1.1).
  if (host === undefined) return request.raw.httpVersion === '1.0' && headers.origin === undefined ? undefined : 'bad-host'
  if (typeof host !== 'string' || !isKnownHost(host, names) || countOf('host', rawHeaders) > 1) return 'bad-host'
  if (!url.startsWith('/') && url !== '*' && hostOf(url) !== hostOf(`${url.split(':')[0]}://${host}`)) return 'bad-host'
  const { origin } = headers
  if (origin === undefined) return isForeignSubrequest(request) ? 'origin-denied' : undefined
  return isOwnOrigin(origin, host) || origins.has(origin.toLowerCase()) ? undefined : 'origin-denied'
}

function isKnownHost(host: string, names: ReadonlySet<string>): boolean {
  const name = host.replace(/:[0-9]*$/, '').toLowerCase()
  return names.has(name) || isIP(name) === 4 || (name.startsWith('[') && name.endsWith(']') && isIP(name.slice(1, -1)) === 6)
}

function isOwnOrigin(origin: string, host: string): boolean {
  if (origin === `http://${host}` || origin === `https://${host}`) return true
  // The port that a scheme implies may stand in the one and not in the other; `null` and other schemes are nobody's.
  const scheme = /^https?:/.exec(origin.toLowerCase())?.[0]
  const own = scheme && hostOf(`${scheme}//${host}`)
  return own !== undefined && own === hostOf(origin)
}

const hostOf = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).host : undefined)

/** A request without Origin that a browser says comes from another site's page: an image, a script, a form's GET. */
function isForeignSubrequest({ headers }: FastifyRequest): boolean {
  return headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate'
}

function countOf(name: string, rawHeaders: readonly string[]): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) if (rawHeaders[index]?.toLowerCase() === name) count++
  return count
}
