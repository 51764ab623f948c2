/** What is promised of the states of members, whatever the transport and the store: one body over every transport × every store. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { node } from '../../src/client/node.ts'
import type { Batch, Change } from '../../src/protocol/message.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import { eventually, metric } from '../support/answers.ts'
import { type Company, type MakeStore, promise, type Start } from '../support/company.ts'
import type { Follower } from '../support/follower.ts'

const watch = (company: Company): Follower => company.follow({ observe: true, states: true })
const idOf = ({ channel }: Follower): string => channel.state.member?.id ?? ''
/** The states as a watcher knows them, of these members by their place in the list. */
const seen = ({ channel }: Follower, of: readonly Follower[]): unknown[] => of.map((member) => channel.states.get(idOf(member)) ?? null)
const sees = (watcher: Follower, of: readonly Follower[], states: readonly unknown[]): Promise<void> =>
  watcher.until(`its states are ${JSON.stringify(states)}`, () => JSON.stringify(seen(watcher, of)) === JSON.stringify(states))
/** Every change that comes to a watcher from now on. */
const record = ({ channel }: Follower): Change<unknown>[] => {
  const changes: Change<unknown>[] = []
  channel.on('batch', ({ states, messages }) => {
    if (states === undefined) return
    expect(messages).toEqual([])
    changes.push(states)
  })
  return changes
}

export function statesContract(transport: TransportName, store: string, makeStore: MakeStore, start?: Start): void {
  describe.concurrent(`states, told by ${transport} over the ${store} store`, () => {
    // Who polls late is not to be forgotten with its state.
    const promised = promise(transport, makeStore, { pollLeaseMs: 2_000 }, undefined, start)

    promised('are told to who asks, of members by any wire: the latest wins', async (company) => {
      const watcher = watch(company)
      const stranger = company.follow({ observe: true })
      const members = transportNames.map((name) => company.follow({ transport: name, name }))
      await Promise.all([watcher, stranger, ...members].map((one) => one.live()))
      const changes = record(watcher)
      const last = 30
      for (let x = 0; x <= last; x++) {
        for (const [index, { channel }] of members.entries()) channel.setState({ x, of: index })
      }
      await sees(
        watcher,
        members,
        members.map((_, index) => ({ x: last, of: index })),
      )
      // Many were set; sent were the first and the last, one tick apart.
      expect(changes.flatMap(({ list }) => Object.values(list)).length).toBeLessThanOrEqual(2 * members.length)
      await eventually(async () => (await metric(company.server.url, 'fourwires_states')) === 4, 'fourwires_states is 4')
      expect(stranger.channel.states.size).toBe(0)
      expect([...watcher.seen, ...stranger.seen]).toEqual([])
    })

    promised('are told as changes only, and all of them to who knows none', async (company) => {
      const watcher = watch(company)
      const members = ['Ann', 'Bob'].map((name) => company.follow({ name }))
      await Promise.all([watcher, ...members].map((one) => one.live()))
      for (const { channel } of members) channel.setState('here')
      await sees(watcher, members, ['here', 'here'])
      const changes = record(watcher)
      members[0]?.channel.setState(['there', 1.5, { deep: null }])
      await sees(watcher, members, [['there', 1.5, { deep: null }], 'here'])
      expect(changes.map(({ list }) => Object.keys(list))).toEqual([[idOf(members[0] as Follower)]])
      const late = watch(company)
      const all = record(late)
      await sees(late, members, [['there', 1.5, { deep: null }], 'here'])
      expect(all.map(({ list }) => Object.keys(list).toSorted())).toEqual([members.map(idOf).toSorted()])
    })

    promised('are gone when they are cleared, and with their member', async (company) => {
      const watcher = watch(company)
      const members = ['Ann', 'Bob'].map((name) => company.follow({ name })) as [Follower, Follower]
      await Promise.all([watcher, ...members].map((one) => one.live()))
      for (const { channel } of members) channel.setState(1)
      await sees(watcher, members, [1, 1])
      members[0].channel.setState(null)
      await sees(watcher, members, [null, 1])
      members[1].channel.close()
      await sees(watcher, members, [null, null])
      expect(watcher.channel.states.size).toBe(0)
      await eventually(async () => (await metric(company.server.url, 'fourwires_states')) === 0, 'fourwires_states is 0')
    })

    promised('are never in the log: no message, and no cursor that moves', async (company) => {
      const watcher = watch(company)
      const member = company.follow({ name: 'Ann' })
      await Promise.all([watcher.live(), member.live()])
      const { cursor } = watcher.channel
      member.channel.setState('moved')
      await sees(watcher, [member], ['moved'])
      expect(watcher.channel.cursor).toBe(cursor)
      const all = company.follow({ observe: true, since: 'earliest' })
      await all.live()
      expect([all.seen, all.channel.cursor]).toEqual([[], cursor])
    })

    promised('are one of two tabs of a session: whichever set it last, for as long as one of them is open', async (company) => {
      const watcher = watch(company)
      const browser = node()
      const first = company.follow({ name: 'Ann' }, browser)
      await Promise.all([watcher.live(), first.live()])
      const second = company.follow({ name: 'Ann' }, browser)
      await second.live()
      first.channel.setState('first')
      await sees(watcher, [first], ['first'])
      second.channel.setState('second')
      await sees(watcher, [first], ['second'])
      first.channel.close()
      const marker = company.follow({ name: 'Bob' })
      await marker.live()
      marker.channel.setState('later')
      await sees(watcher, [second, marker], ['second', 'later'])
      second.channel.close()
      await sees(watcher, [second, marker], [null, 'later'])
    })

    promised(
      'stay while a member, and while a watcher, goes over all four transports',
      async (company) => {
        const watcher = watch(company)
        const member = company.follow({ name: 'Ann', states: true })
        await Promise.all([watcher.live(), member.live()])
        member.channel.setState(0)
        await sees(watcher, [member], [0])
        const changes = [record(watcher), record(member)]
        for (const [index, to] of [...transportNames, transport].entries()) {
          for (const { channel } of [watcher, member]) channel.switchTo(to)
          await Promise.all([watcher.live(to), member.live(to)])
          member.channel.setState(index + 1)
          await sees(watcher, [member], [index + 1])
        }
        for (const { list } of changes.flat()) expect(Object.values(list)).not.toContain(null)
        await sees(member, [member], [5])
      },
      { leaseGraceMs: 10_000, pollLeaseMs: 10_000 },
    )

    promised('leave the bytes of messages as they are, to who asks for them and who does not', async (company) => {
      const [watcher, reader, writer] = [watch(company), company.follow({ observe: true }), company.follow({ name: 'Ann' })]
      const batches = new Map<Follower, string[]>([watcher, reader].map((follower) => [follower, []]))
      const keep = (follower: Follower) => (batch: Batch) =>
        batches.get(follower)?.push(...batch.messages.map((message) => JSON.stringify(message)))
      for (const follower of [watcher, reader]) follower.channel.on('batch', keep(follower))
      await Promise.all([watcher.live(), reader.live(), writer.live()])
      for (let n = 0; n < 10; n++) {
        writer.channel.setState(n)
        await writer.channel.send(`text ${n}`)
      }
      await Promise.all([watcher.count(10), reader.count(10), sees(watcher, [writer], [9])])
      expect(batches.get(watcher)).toEqual(batches.get(reader))
      for (const follower of [watcher, reader]) {
        expect(follower.texts).toEqual(Array.from({ length: 10 }, (_, n) => `text ${n}`))
        expect(follower.channel.counts).toMatchObject({ gaps: 0, repeats: 0 })
      }
    })

    promised('and messages both come, where there is always something new of both', async (company) => {
      const watcher = watch(company)
      const member = company.follow({ name: 'Ann', transport: 'websocket' })
      await Promise.all([watcher.live(), member.live()])
      const changes = record(watcher)
      const busy = new AbortController()
      const author = { id: 'm_contract0001', name: 'Author' }
      const moving = (async () => {
        for (let n = 0; !busy.signal.aborted; n++) {
          member.channel.setState(n)
          await company.server.store.append('lobby', author, { id: `message-${n}`, text: 'text' }).catch(() => {})
          await pause(5)
        }
      })()
      const both = watcher.until('both come', () => changes.length > 2 && watcher.seen.length > 2)
      await both.finally(() => busy.abort())
      await moving
    })

    promised(
      'come again by themselves with their member, whose wire was away for longer than its grace',
      async (company) => {
        const watcher = watch(company)
        const member = company.follow({ name: 'Ann' })
        await Promise.all([watcher.live(), member.live()])
        member.channel.setState('here')
        await sees(watcher, [member], ['here'])
        company.server.cut()
        const known = watcher.channel.counts.delivered
        // Said by who came back: what the watcher knows of states by then is not of before.
        await member.channel.send('back')
        watcher.channel.nudge(true)
        await watcher.count(known + 1)
        await sees(watcher, [member], ['here'])
        const late = watch(company)
        await sees(late, [member], ['here'])
      },
      { leaseGraceMs: 20 },
    )

    promised(
      'come again by themselves after a restart, of who is still here',
      async (company) => {
        const watcher = watch(company)
        const members = ['Ann', 'Bob'].map((name) => company.follow({ name })) as [Follower, Follower]
        await Promise.all([watcher, ...members].map((one) => one.live()))
        for (const { channel } of members) channel.setState('before')
        await sees(watcher, members, ['before', 'before'])
        await company.restart(() => members[1].channel.close())
        for (const { channel } of [watcher, members[0]]) channel.nudge(true)
        await sees(watcher, members, ['before', null])
      },
      { sessionSecret: 'the same before and after' },
    )

    promised('leave nothing behind when all have left: no state, no timer', async (company) => {
      const watcher = watch(company)
      const members = transportNames.map((name) => company.follow({ transport: name, name, states: true }))
      await Promise.all([watcher, ...members].map((one) => one.live()))
      for (const { channel } of members) channel.setState('here')
      await sees(watcher, members, ['here', 'here', 'here', 'here'])
      for (const { channel } of [watcher, ...members]) channel.close()
      await company.server.quiet()
      await eventually(async () => (await metric(company.server.url, 'fourwires_states')) === 0, 'no state is kept')
    })
  })
}
