/** What waits to be acknowledged, where the wire that it was on ends. */
import { expect, it } from 'vitest'
import { sleep } from '../../src/client/backoff.ts'
import { Outbox } from '../../src/client/outbox.ts'
import { Problem } from '../../src/protocol/problem.ts'

/** A wire's end comes to its reader some steps after it has come to what was sent on it. */
async function someSteps(): Promise<void> {
  for (let step = 0; step < 20; step++) await Promise.resolve()
}

it('goes out at once on the next wire, though the one before was let go only after it had failed there', async () => {
  const ending = new AbortController()
  const wires: (object | undefined)[] = [{}]
  const sentOn: (object | undefined)[] = []
  const outbox: Outbox = new Outbox(
    {
      wire: () => wires.at(-1),
      member: () => 'm_outbox0000001',
      renew: async () => {},
      changed: () => {},
      async send({ id }) {
        sentOn.push(wires.at(-1))
        if (sentOn.length > 1) return { id, seq: 1, cursor: 'AAAAAAAAAAAA.1.AAAAAA', duplicate: true }
        void someSteps().then(() => {
          wires.push(undefined)
          setTimeout(() => {
            wires.push({})
            outbox.flush()
          }, 10)
        })
        throw new Error('the socket closed')
      },
    },
    ending.signal,
  )
  // Less than the least pause before the same wire is tried again.
  const pause = sleep(400, ending.signal).then(() => 'it waits')
  const acknowledged = outbox.add({ id: 'message-1', text: 'once' }).then(() => 'it was sent again')
  expect(await Promise.race([pause, acknowledged])).toBe('it was sent again')
  expect(sentOn).toEqual([wires[0], wires[2]])
  expect(sentOn[1]).toBe(wires[2])
  ending.abort()
})

it('goes back to who wrote it where the room will not have us, also while it waits because of a limit', async () => {
  const forbidden = new Problem('forbidden')
  let wire: object | undefined = {}
  const outbox: Outbox = new Outbox(
    {
      wire: () => wire,
      member: () => 'm_outbox0000001',
      renew: async () => {},
      changed: () => {},
      async send() {
        setImmediate(() => {
          wire = undefined
          outbox.refuse(forbidden)
        })
        throw new Problem('rate-limited')
      },
    },
    new AbortController().signal,
  )
  await expect(outbox.add({ id: 'message-1', text: 'once' })).rejects.toBe(forbidden)
  expect(outbox.unsent).toEqual([])
})
