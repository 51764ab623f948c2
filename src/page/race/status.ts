/** How the race runs, in a few sentences: what is said, over which time, and what disturbs it. */
import { transportNames } from '../../client/index.ts'
import { noChaos } from '../../lab/events.ts'
import type { LabLink } from '../lab-link.ts'
import { count, counted, duration } from '../units.ts'
import { wires } from '../wires.ts'
import type { Contest, Standing } from './contest.ts'
import { browserSlots } from './slots.ts'
import { hasNumber } from './verdict.ts'

/** A lane that takes longer to open is held up. */
const heldUpMs = 2_000
/** A pace that differs by more than this is said. */
const paceShare = 0.1

export function statusSentence(contest: Contest, lab: LabLink, standing: Standing | undefined): string {
  const { status, said, refused } = contest
  const so = `${counted(said, 'message')} said so far.${refused === 0 ? '' : ` The server took ${count(refused)} less than were sent.`}`
  switch (status) {
    case 'running':
      return `${so}${over(standing)}${behind(contest, standing)}${slowed(lab)} ${heldUp(contest)}`
    case 'paused':
      return `Paused: nothing is said. ${so}`
    case 'hidden':
      return `Paused by the browser (hidden tab). That time is not counted. ${so}`
    case 'away':
      return `The server is away. The race goes on when it is back. ${so}`
  }
  return heldUp(contest) || 'Opening four lanes.'
}

/** Behind a change there is none for a moment. */
const over = (standing: Standing | undefined): string =>
  standing === undefined || standing.windowMs <= 0 ? '' : ` Numbers are of the last ${duration(standing.windowMs)}.`

/** A machine that cannot keep the pace measures another one. */
function behind(contest: Contest, standing: Standing | undefined): string {
  const { rate } = contest.dials
  const figure = standing?.figures.websocket ?? standing?.figures.sse
  if (!hasNumber(figure)) return ''
  const kept = figure.n / figure.seconds
  return Math.abs(kept - rate) <= rate * paceShare ? '' : ` Of ${rate}/s this page keeps ${kept.toFixed(1)}/s.`
}

/** What somebody does to these connections on purpose belongs beside what is measured on them. */
function slowed(lab: LabLink): string {
  const { chaos } = lab.chaos
  const disturbed = (Object.keys(noChaos) as (keyof typeof noChaos)[]).some((key) => chaos[key] !== noChaos[key])
  if (!disturbed) return ''
  return ` These connections are disturbed on purpose: ${duration(chaos.delayMs)} delay, ${duration(chaos.jitterMs)} jitter, proxy ${chaos.proxy}.`
}

/** Why lanes do not open: other tabs have what they would need. */
function heldUp({ slots, lanes }: Contest): string {
  // A WebSocket takes none of them; the question who we are, which comes before it, waits for one for a moment.
  const held = transportNames.filter((name) => name !== 'websocket' && lanes[name].heldMs > heldUpMs)
  if (held.length === 0 || slots.taken < browserSlots) return ''
  const who = held.map((name) => wires[name].title).join(', ')
  return `${who} cannot open: this browser has ${slots.taken} of its ${browserSlots} HTTP connections to this server in use. Close its other tabs of this server, or switch them to WebSocket.`
}
