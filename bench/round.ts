/** One round: a fresh server, an audience and a publisher; what they count, and whether both ends agree. */
import type { Audience, AudienceCount, GroupCount } from './audience.ts'
import { now, until } from './clock.ts'
import { bytesDown, bytesUp } from './connection.ts'
import type { PeerName } from './dialects/index.ts'
import { NoNumber } from './experiment.ts'
import type { Process } from './processes.ts'
import type { Published, PublisherMethods } from './publisher.ts'
import type { RelayCount, RelayMethods, RelaySetup } from './relay.ts'
import { type Busy, isSaturated } from './self.ts'
import type { SubjectMethods, SubjectSetup, Usage } from './subject.ts'
import type { GroupSetup } from './subscriber.ts'
import { Trips } from './trips.ts'

/** What one round runs. */
export interface RoundSetup {
  readonly subject?: SubjectSetup
  readonly relay?: Omit<RelaySetup, 'target'>
  readonly groups: readonly RoundGroup[]
  /** For each room the times to publish at, in ms since the start. */
  readonly schedules: Readonly<Record<string, Float64Array>>
  /** Bytes of a message's text. */
  readonly payload: number
  readonly warmupMs: number
  /** Messages meant for this long after the warm-up are measured, and bytes are counted for as long. */
  readonly measureMs: number
  readonly by?: 'post' | 'websocket'
  /** What else happens, from the start on. */
  readonly during?: (live: Live) => Promise<void>
  /** True where losing or repeating is what is looked at: then it is counted and no failure. */
  readonly mayLose?: boolean
}

/** A group, as an experiment says it; `cookie: true` sends the session cookie of a real member, `peer` is in place of the subject's. */
export type RoundGroup = Omit<GroupSetup, 'url' | 'messages' | 'cookie'> & { readonly cookie?: boolean }

/** A round that runs. */
export interface Live {
  /** The start, in ms of the clock. */
  readonly start: number
  /** Where the server is, and a member's session cookie. */
  readonly url: string
  readonly cookie: string
  readonly subject: Process<SubjectMethods>
  readonly relay: Process<RelayMethods> | undefined
  /** More of an audience; resolves once they have joined. */
  join(groups: readonly RoundGroup[]): Promise<void>
  /** What the audience has counted so far, of all that joined in their order. */
  count(): Promise<readonly GroupCount[]>
  /** The local ports of the audience's connections, group by group. */
  ports(): Promise<readonly (readonly number[])[]>
}

export interface Group extends Omit<GroupCount, 'trips' | 'returns'> {
  readonly trips: Trips
  readonly returns: Trips
}

/** What one round counted. */
export interface Round {
  readonly groups: readonly Group[]
  /** Of the server: within the window; undefined where it is not ours to ask. */
  readonly server: { readonly cpuMs: number; readonly rssBytes: number } | undefined
  readonly published: Omit<Published, 'answers' | 'intendedAnswers'> & { readonly answers: Trips; readonly intendedAnswers: Trips }
  readonly audience: Busy
  /** A generator that was too busy: no time of this round is worth printing. */
  readonly saturated: boolean
  readonly relay: RelayCount | undefined
  readonly seconds: number
}

/** How long the counters of both ends may take to agree, in ms. */
const agreeMs = 1_000

/** The processes of a round. */
export interface Cast {
  readonly audience: Process<Audience>
  readonly publisher: Process<PublisherMethods>
  /** Undefined where the server is not ours to ask. */
  readonly subject: Process<SubjectMethods> | undefined
  readonly relay: Process<RelayMethods> | undefined
  /** Where the server is. */
  readonly url: string
  /** Put behind the name of every room: a server that lives on remembers the last round. */
  readonly suffix: string
}

/**
 * Runs it, with processes that are started already.
 * @throws NoNumber where a message was lost or came twice, or the counters of both ends disagree
 */
export async function runRound(cast: Cast, asked: RoundSetup, signal: AbortSignal): Promise<Round> {
  const { audience, publisher, subject, relay, url } = cast
  const setup = renamed(asked, cast.suffix)
  const { warmupMs, measureMs, schedules, payload, by = 'post' } = setup
  const peer: PeerName = setup.subject?.peer ?? 'fourwires'
  const near = relay === undefined ? url : await relay.ask('open', { ...setup.relay, target: url })
  const before = await subject?.ask('usage')
  const cookie = await publisher.ask('enter', url, peer)
  const join = (list: readonly RoundGroup[]): Promise<void> =>
    audience
      .ask(
        'open',
        list.map((group) => placed(setup, group, near, peer, cookie)),
      )
      .catch((error: Error) => {
        throw new NoNumber(error.message.split('\n', 1)[0]?.replace(/^(\w*Error: )+/, ''))
      })
  await join(setup.groups)
  const count = async (): Promise<readonly GroupCount[]> => (await audience.ask('count')).groups
  // Long enough for both processes to hear of it.
  const start = now() + 30
  const [published, , server] = await Promise.all([
    publisher.ask('run', { url, peer, start, schedules, payload, by }),
    audience.ask('measure', { start, fromMs: warmupMs, toMs: warmupMs + measureMs }),
    watch(subject, start, setup, signal),
    subject && setup.during?.({ start, url, cookie, subject, relay, join, count, ports: () => audience.ask('ports') }),
  ])
  await audience.ask('settle', graceMs(setup))
  const { groups, busy } =
    setup.during || before === undefined ? await audience.ask('count') : await agree(cast, before, setup.relay?.rttMs)
  const relayed = await relay?.ask('count')
  const round: Round = {
    groups: groups.map((group) => ({ ...group, trips: Trips.decode(group.trips), returns: Trips.decode(group.returns) })),
    server,
    published: { ...published, answers: Trips.decode(published.answers), intendedAnswers: Trips.decode(published.intendedAnswers) },
    audience: busy,
    saturated: isSaturated(busy) || isSaturated(published.busy) || (relayed !== undefined && isSaturated(relayed.busy)),
    relay: relayed,
    seconds: measureMs / 1000,
  }
  if (!setup.mayLose) refuseLoss(round)
  return round
}

function renamed(setup: RoundSetup, suffix: string): RoundSetup {
  if (suffix === '') return setup
  const schedules = Object.fromEntries(Object.entries(setup.schedules).map(([room, times]) => [room + suffix, times]))
  return { ...setup, schedules, groups: setup.groups.map((group) => ({ ...group, room: group.room + suffix })) }
}

function placed({ schedules }: RoundSetup, group: RoundGroup, url: string, peer: PeerName, cookie: string): GroupSetup {
  const { cookie: carries, ...rest } = group
  return { peer, ...rest, url, messages: schedules[group.room]?.length ?? 0, ...(carries === true && { cookie }) }
}

async function watch(
  subject: Process<SubjectMethods> | undefined,
  start: number,
  { warmupMs, measureMs }: RoundSetup,
  signal: AbortSignal,
): Promise<Round['server']> {
  await until(start + warmupMs, signal)
  const before = await subject?.ask('usage')
  await until(start + warmupMs + measureMs, signal)
  const after = await subject?.ask('usage')
  return before && after && { cpuMs: after.cpuMs - before.cpuMs, rssBytes: after.rssBytes }
}

/** The counters of both ends agree to the byte, once nothing is on its way any more. */
async function agree({ audience, publisher, subject }: Cast, before: Usage, rttMs = 0): Promise<AudienceCount> {
  for (const end = now() + agreeMs + 3 * rttMs; ; await until(now() + 20)) {
    const count = await audience.ask('count')
    const usage = await subject?.ask('usage')
    if (usage?.bytesRead === undefined) return count
    const tallies = [await publisher.ask('tally'), ...count.groups.map(({ total }) => total)]
    const up = tallies.reduce((sum, tally) => sum + bytesUp(tally), 0)
    const down = tallies.reduce((sum, tally) => sum + bytesDown(tally), 0)
    const read = usage.bytesRead - (before.bytesRead ?? 0)
    const written = (usage.bytesWritten ?? 0) - (before.bytesWritten ?? 0)
    if (up === read && down === written) return count
    if (now() > end)
      throw new NoNumber(`the server counted ${read} bytes up and ${written} down, its clients ${up} and ${down}: no number is right`)
  }
}

/** How long who reads may still take, in ms. */
function graceMs({ groups, relay }: RoundSetup): number {
  return Math.max(...groups.map(({ wire, pollMs = 1000 }) => (wire === 'poll' ? pollMs : 0))) + 2 * (relay?.rttMs ?? 0) + 3_000
}

function refuseLoss({ groups, published }: Round): void {
  const failure = published.failures[0] ?? groups.flatMap(({ failures }) => failures)[0]
  if (failure !== undefined) throw new NoNumber(failure)
  for (const { lost, example, total, lane } of groups) {
    if (lost > 0) throw new NoNumber(`${lost} deliveries were lost: ${example}`)
    if (total.repeated > 0) throw new NoNumber(`${total.repeated} messages came to ${lane} more than once`)
  }
}
