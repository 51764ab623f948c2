/** What a page of the lab asks and says: answered, or refused with a problem. */
import {
  type ClockQuestion,
  type LabNews,
  type LabOrder,
  type MembersQuestion,
  raceRate,
  raceRoomOf,
  type SayOrder,
} from '../lab/events.ts'
import type { Watching } from '../lab/tap.ts'
import { parseRoom } from '../protocol/draft.ts'
import type { Member } from '../protocol/message.ts'
import { Problem } from '../protocol/problem.ts'
import { publish } from './publish.ts'
import { Rate } from './rate.ts'
import type { Rooms } from './rooms.ts'

/** What one session may say at once, and all of them together, a second and at once. */
const raceBurst = 200
const totalRate = 500
/** Orders of any kind from one session, a second and at once: far more than its pages have, and no flood. */
const orderRate = { perSecond: 250, burst: 1_000 } as const
/** Lists of members that one session may ask for, a second and at once: each is as long as its room is full. */
const listRate = { perSecond: 10, burst: 20 } as const

/** Who asks. */
export interface Asker {
  readonly member: Member
  readonly address: string
  readonly watching: Watching
}

export class LabOrders {
  readonly #rooms: Rooms
  readonly #ordered = new Rate(orderRate.perSecond, orderRate.burst)
  readonly #said = new Rate(raceRate, raceBurst)
  readonly #saidByAll = new Rate(totalRate, totalRate)
  readonly #listed = new Rate(listRate.perSecond, listRate.burst)

  constructor(rooms: Rooms) {
    this.#rooms = rooms
  }

  /** Counts an order, whatever it is. Returns 0, or how many ms to wait where there were too many. */
  take({ member }: Asker): number {
    return this.#ordered.take(member.id)
  }

  /**
   * Obeys an order; undefined where what follows is told to all pages of the session, or is nothing. At once, unless a
   * room is asked for.
   * @throws Problem
   */
  obey(order: LabOrder, asker: Asker): LabNews | undefined | Promise<LabNews> {
    switch (order.type) {
      case 'bytes':
        return asker.watching.bytesOf(order)
      case 'clock':
        return clock(order)
      case 'members':
        return this.#list(order, asker)
      case 'say':
        return this.#say(order, asker)
      default:
        asker.watching.obey(order)
        return undefined
    }
  }

  async #list({ room }: MembersQuestion, { member }: Asker): Promise<LabNews> {
    const retryAfterMs = this.#listed.take(member.id)
    if (retryAfterMs > 0) throw new Problem('rate-limited', 'Ask for members less often.', { retryAfterMs })
    this.#rooms.refuseWhenBusy()
    await this.#rooms.authorize(member, parseRoom(room), 'read')
    return { type: 'members', room, list: this.#rooms.hub.members.leases(room) }
  }

  /** In rooms of one's own race only: its rate is more than a room of people could bear. */
  async #say({ id, room, text }: SayOrder, { member, address }: Asker): Promise<LabNews> {
    const own = raceRoomOf(member.id)
    if (room !== own && !room.startsWith(`${own}~`)) throw new Problem('forbidden', `Here one may say something in ${own} only.`)
    const take = (who: string): number => this.#said.take(who) || this.#saidByAll.take('')
    const ack = await publish(this.#rooms, { member, address }, parseRoom(room), { id, text }, take)
    return { type: 'said', ...ack }
  }
}

const clock = ({ sent }: ClockQuestion): LabNews => ({ type: 'clock', sent, at: performance.now(), date: Date.now() })
