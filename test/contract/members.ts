/** What is promised of members, whatever the transport and the store: one body of tests, run over every transport × every store. */
import { describe, expect } from 'vitest'
import type { PresentMember } from '../../src/client/index.ts'
import { node } from '../../src/client/node.ts'
import type { Batch } from '../../src/protocol/message.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import { eventually, metric } from '../support/answers.ts'
import { type Company, type MakeStore, promise, type Start } from '../support/company.ts'
import type { Follower } from '../support/follower.ts'

const watch = (company: Company): Follower => company.follow({ observe: true, members: true })
const wiresOf = ({ channel }: Follower): Record<string, readonly TransportName[]> =>
  Object.fromEntries(channel.members.map(({ name, wires }) => [name, wires]))
const told = (watcher: Follower, names: readonly string[]): Promise<void> =>
  watcher.until(`here are ${names.join()}`, () => Object.keys(wiresOf(watcher)).toSorted().join() === names.join())
/** Every list of members that a watcher was told, from now on. */
const record = ({ channel }: Follower): (readonly PresentMember[])[] => {
  const lists: (readonly PresentMember[])[] = []
  channel.on('members', (members) => lists.push(members))
  return lists
}

export function membersContract(transport: TransportName, store: string, makeStore: MakeStore, start?: Start): void {
  describe.concurrent(`members, told by ${transport} over the ${store} store`, () => {
    const promised = promise(transport, makeStore, {}, undefined, start)

    promised('tells who asks of everybody who comes, by which wire, and who goes; observers are nobody', async (company) => {
      const watcher = watch(company)
      await watcher.live()
      const members = transportNames.map((name) => company.follow({ transport: name, name }))
      await told(watcher, transportNames.toSorted())
      for (const name of transportNames) expect(wiresOf(watcher)[name]).toEqual([name])
      const second = watch(company)
      await told(second, transportNames.toSorted())
      for (const { channel } of members) channel.close()
      await told(watcher, [])
      await told(second, [])
    })

    promised('tells a member of itself', async (company) => {
      const member = company.follow({ name: 'Ann', members: true })
      await told(member, ['Ann'])
      expect(member.channel.members).toEqual([{ ...member.channel.state.member, wires: [transport] }])
    })

    promised(
      'counts two tabs of one session as one member, for as long as one of them is open',
      async (company) => {
        const watcher = watch(company)
        const browser = node()
        const first = company.follow({ name: 'Ann' }, browser)
        await told(watcher, ['Ann'])
        const lists = record(watcher)
        const second = company.follow({ name: 'Ann' }, browser)
        await second.live()
        first.channel.close()
        const bob = company.follow({ name: 'Bob', transport: 'websocket' })
        await told(watcher, ['Ann', 'Bob'])
        bob.channel.close()
        await told(watcher, ['Ann'])
        expect(lists.every((list) => list.filter(({ name }) => name === 'Ann').length === 1)).toBe(true)
        second.channel.close()
        await told(watcher, [])
      },
      // Nobody is to be forgotten who asks again late, on a busy machine or after their store failed.
      { leaseGraceMs: 1_000, pollLeaseMs: 2_000, longPollLeaseMs: 60_000 },
    )

    promised(
      'keeps one member while it goes over all four transports, here all the time',
      async (company) => {
        const watcher = watch(company)
        const member = company.follow({ name: 'Ann', members: true })
        await told(watcher, ['Ann'])
        const lists = [record(watcher), record(member)]
        for (const to of [...transportNames, transport]) {
          member.channel.switchTo(to)
          await member.live(to)
          await watcher.until(`Ann is here by ${to}`, () => wiresOf(watcher)['Ann']?.includes(to) === true)
        }
        for (const list of lists.flat()) expect(list.map(({ name }) => name)).toEqual(['Ann'])
        await eventually(async () => (await metric(company.server.url, 'fourwires_members')) === 1, 'fourwires_members is 1')
      },
      { leaseGraceMs: 10_000, pollLeaseMs: 10_000 },
    )

    promised('sends messages in the same bytes to who asks for members and who does not, each once and in order', async (company) => {
      const [watcher, reader, writer] = [watch(company), company.follow({ observe: true }), company.follow({ name: 'Ann' })]
      const batches = new Map<Follower, string[]>([watcher, reader].map((follower) => [follower, []]))
      const keep = (follower: Follower) => (batch: Batch) => {
        if (batch.members !== undefined) expect(batch.messages).toEqual([])
        batches.get(follower)?.push(...batch.messages.map((message) => JSON.stringify(message)))
      }
      for (const follower of [watcher, reader]) follower.channel.on('batch', keep(follower))
      await Promise.all([watcher.live(), reader.live(), writer.live()])
      for (let n = 0; n < 20; n++) {
        const passing = company.follow({ name: `P${n}`, transport: transportNames[n % 4] as TransportName })
        await writer.channel.send(`text ${n}`)
        if (n % 2 === 0) passing.channel.close()
      }
      await Promise.all([watcher.count(20), reader.count(20)])
      expect(batches.get(watcher)).toEqual(batches.get(reader))
      for (const follower of [watcher, reader]) {
        expect(follower.texts).toEqual(Array.from({ length: 20 }, (_, n) => `text ${n}`))
        expect(follower.channel.counts).toMatchObject({ gaps: 0, repeats: 0 })
      }
    })

    promised('still tells of members where there is always a message to tell', async (company) => {
      const watcher = watch(company)
      await watcher.live()
      const busy = new AbortController()
      const author = { id: 'm_contract0001', name: 'Author' }
      const talking = (async () => {
        for (let n = 0; !busy.signal.aborted; n++) {
          await company.server.store.append('lobby', author, { id: `message-${n}`, text: 'text' }).catch(() => {})
          await new Promise((resolve) => setImmediate(resolve))
        }
      })()
      company.follow({ name: 'Ann' })
      await told(watcher, ['Ann']).finally(() => busy.abort())
      await talking
    })

    promised('tells everything anew after a restart, and nobody who is gone', async (company) => {
      const watcher = watch(company)
      company.follow({ name: 'Ann' })
      await told(watcher, ['Ann'])
      for (const { channel } of company.followers.slice(1)) channel.close()
      await company.restart()
      company.follow({ name: 'Bob' })
      watcher.channel.nudge(true)
      await told(watcher, ['Bob'])
    })

    promised('leaves nothing behind when all have left: no member, no timer, no room watched', async (company) => {
      const watcher = watch(company)
      const members = transportNames.map((name) => company.follow({ transport: name, name, members: true }))
      await told(watcher, transportNames.toSorted())
      for (const { channel } of [watcher, ...members]) channel.close()
      await company.server.quiet()
    })

    // Over the late store a question may be tried again for longer than these leases.
    if (store !== 'memory') return
    promised(
      'holds for as long as its wire is alive, by renewal alone',
      async (company) => {
        const watcher = watch(company)
        const metronome = company.follow({ observe: true, transport: 'sse' })
        const member = company.follow({ name: 'Ann' })
        await told(watcher, ['Ann'])
        const lists = record(watcher)
        let beats = 0
        metronome.channel.on('batch', () => beats++)
        await metronome.until('two leases have passed', () => beats > 33)
        expect(lists).toEqual([])
        expect(Object.keys(wiresOf(watcher))).toEqual(['Ann'])
        member.channel.close()
        await told(watcher, [])
      },
      // A long poll proves it for longer than it is held.
      { longPollLeaseMs: 30_000, websocketLeaseMs: 1_500, pingMs: 100, sseLeaseMs: 1_500, pollLeaseMs: 1_500, heartbeatMs: 100 },
    )
  })
}
