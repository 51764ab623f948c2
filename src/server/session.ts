/** Who you are: a member in a signed cookie, carried by all four transports. There is no session in memory. */
import fastifyCookie from '@fastify/cookie'
import { parse, serialize } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Member } from '../protocol/message.ts'
import { randomText } from '../protocol/random.ts'

/** A host's own answer to who somebody is. Undefined: nobody that may publish. */
export type Authenticate = (request: FastifyRequest) => Member | undefined | Promise<Member | undefined>

export interface SessionOptions {
  readonly secret: string
  readonly cookie: string
  readonly path: string
  readonly maxAgeSeconds: number
}

const memberSpelling = /^(m_[A-Za-z0-9_-]{12})\.([A-Za-z0-9_-]+)$/

export class Sessions {
  readonly #options: SessionOptions
  readonly #signer: fastifyCookie.Signer

  constructor(options: SessionOptions) {
    this.#options = options
    this.#signer = new fastifyCookie.Signer(options.secret)
  }

  /** The member of a valid cookie. An invalid one is as good as none. */
  read(request: FastifyRequest): Member | undefined {
    return this.memberOf(request.headers.cookie)
  }

  /** The member that a Cookie header proves. */
  memberOf(header: string | undefined): Member | undefined {
    const cookie = header === undefined ? undefined : parse(header)[this.#options.cookie]
    const { valid, value } = this.#signer.unsign(cookie ?? '')
    const [, id, name] = (valid && memberSpelling.exec(value)) || []
    // A copy: a slice of the header would keep all of it for as long as a message of this member is kept.
    return id === undefined || name === undefined
      ? undefined
      : { id: Buffer.from(id).toString(), name: Buffer.from(name, 'base64url').toString() }
  }

  /** The cookie's member, renamed where a name is given; a new one where there is none. Sets the cookie. */
  issue(request: FastifyRequest, reply: FastifyReply, name: string | undefined): Member {
    const known = this.read(request)
    const member: Member = { id: known?.id ?? `m_${randomText(12)}`, name: name ?? known?.name ?? drawName() }
    const value = this.#signer.sign(`${member.id}.${Buffer.from(member.name).toString('base64url')}`)
    this.#set(request, reply, value, this.#options.maxAgeSeconds)
    return member
  }

  forget(request: FastifyRequest, reply: FastifyReply): void {
    this.#set(request, reply, '', 0)
  }

  #set(request: FastifyRequest, reply: FastifyReply, value: string, maxAge: number): void {
    const { cookie, path } = this.#options
    const secure = request.protocol === 'https'
    // Each of its characters may stand in a cookie as it is (RFC 6265, 4.1.1); encoded, its length would vary with the signature.
    const encode = (text: string): string => text
    reply.header('set-cookie', serialize(cookie, value, { path, maxAge, secure, httpOnly: true, sameSite: 'strict', encode }))
  }
}

const moods =
  'Agile Amber Brave Bright Calm Candid Clever Curious Eager Fair Gentle Glad Keen Kind Lively Lucky Merry Nimble Patient Quick Quiet Steady Sunny Witty'.split(
    ' ',
  )
const animals =
  'Badger Beaver Crane Dolphin Falcon Finch Fox Gecko Hare Heron Ibex Lark Lynx Magpie Marten Newt Otter Owl Plover Raven Robin Seal Swift Wren'.split(
    ' ',
  )

/** A friendly name, for who gives none: nothing that a full hall could take amiss. */
function drawName(): string {
  const pick = (words: readonly string[]): string => words[Math.floor(Math.random() * words.length)] ?? ''
  return `${pick(moods)} ${pick(animals)}`
}
