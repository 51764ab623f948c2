/** The process over a file store: killed without a word, refused a directory, told apart from the other stores. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { node } from '../../src/client/node.ts'
import { parseCursor } from '../../src/protocol/cursor.ts'
import { transportNames } from '../../src/protocol/message.ts'
import { parseCommandLine } from '../../src/server/command-line.ts'
import type { ServerOptions } from '../../src/server/options.ts'
import { openStore } from '../../src/server/stores.ts'
import { temporaryDirectory } from '../support/directory.ts'
import { Follower } from '../support/follower.ts'
import { listening, run, type Running } from '../support/process.ts'

const base = temporaryDirectory()

/** Of each publisher, before and after the process is killed. */
const half = 15
const locksIn = (data: string): string[] => readdirSync(data).filter((name) => name.startsWith('lock-'))

test('killed under load it loses nothing that was acknowledged: clients on each wire go on without a gap, as who they were', async () => {
  const data = join(base, 'killed')
  const start = (port: number): ReturnType<typeof listening> =>
    listening('--port', String(port), '--store', 'file', '--data', data, '--publishes-per-second', '0', '--drain-ms', '0')
  const killed = await start(0)
  const { url, port } = killed
  const clients = transportNames.map(
    (transport) => new Follower({ url, room: 'lobby', transport, since: 'earliest', name: transport }, node()),
  )
  onTestFinished(() => clients.forEach(({ channel }) => channel.close()))
  await Promise.all(clients.map((client) => client.live()))
  const epoch = parseCursor(clients[0]?.channel.cursor ?? '')?.epoch
  const acked = new Map<number, string>()
  let enough = (): void => {}
  const halfway = new Promise<void>((resolve) => (enough = resolve))
  const publishing = clients.map(async ({ channel }, index) => {
    for (let said = 0; said < 2 * half; said++) {
      const text = `${index}/${said}`
      const { seq } = await channel.send(text)
      expect(acked.has(seq)).toBe(false)
      acked.set(seq, text)
      if (acked.size === half * clients.length) enough()
    }
  })
  await halfway
  killed.child.kill('SIGKILL')
  expect((await killed.exited).signal).toBe('SIGKILL')
  const before = new Map(acked)
  expect(before.size).toBeLessThan(2 * half * clients.length)
  expect(locksIn(data)).toHaveLength(1)

  const next = await start(port)
  // They come back by themselves, in their own time; asked to, at once.
  const nudging = setInterval(() => clients.forEach(({ channel }) => channel.nudge(true)), 250)
  onTestFinished(() => clearInterval(nudging))
  await Promise.all(publishing)
  await Promise.all(clients.map((client) => client.count(acked.size)))
  clearInterval(nudging)
  expect(acked.size).toBe(2 * half * clients.length)
  for (const [seq, text] of before) expect(acked.get(seq)).toBe(text)
  for (const { seqs, texts, gaps, seen, channel } of clients) {
    expect(gaps).toEqual([])
    expect(seqs).toEqual(Array.from({ length: acked.size }, (_, index) => index + 1))
    expect(texts).toEqual(seqs.map((seq) => acked.get(seq)))
    expect(parseCursor(channel.cursor ?? '')?.epoch).toBe(epoch)
    // The cookies of before are believed: nobody became somebody else.
    expect(new Set(seen.map(({ message }) => message.member)).size).toBe(clients.length)
  }
  clients.forEach(({ channel }) => channel.close())
  next.child.kill('SIGTERM')
  expect(await next.exited).toMatchObject({ code: 0, signal: null })
  expect(locksIn(data)).toEqual([])
}, 60_000)

const sentence = async ({ exited, output }: Running): Promise<string> => {
  expect((await exited).code).toBe(1)
  expect(output.stdout).toBe('')
  return output.stderr.trim()
}

test('a data directory in use, and one that is none, are told in one sentence, with exit code 1', async () => {
  const data = join(base, 'used')
  const { child, exited } = await listening('--store', 'file', '--data', data)
  const file = join(base, 'a-file')
  writeFileSync(file, '')
  const [inUse, none] = await Promise.all([data, file].map((each) => sentence(run('--port', '0', '--store', 'file', '--data', each))))
  expect(inUse).toBe(`${data} is in use by process ${child.pid}: one process per directory.`)
  expect(none).toBe(`${file} is not a directory.`)
  child.kill('SIGTERM')
  expect((await exited).code).toBe(0)
})

test.runIf(existsSync('/proc/self'))('a data directory that cannot be made is told in one sentence, with exit code 1', async () => {
  expect(await sentence(run('--port', '0', '--store', 'file', '--data', '/proc/nowhere/data'))).toBe(
    '/proc/nowhere/data cannot be made there.',
  )
})

test('a session secret of the command line signs in place of the one that the directory keeps', async () => {
  const { keeping } = parseCommandLine(['--store', 'file', '--data', join(base, 'secret')], {})
  const open = async (given: Partial<ServerOptions>): Promise<string> => {
    const { store, sessionSecret } = await openStore(keeping, given, () => {})
    await store.close()
    return sessionSecret
  }
  const drawn = await open({})
  expect(drawn).toMatch(/^[\w-]{43}$/)
  expect(await open({ sessionSecret: 'a secret of the command line' })).toBe('a secret of the command line')
  expect(await open({})).toBe(drawn)
})

test.each([
  [['--store', 'paper'], '--store is memory, file or redis; it got "paper"'],
  [['--store', ''], '--store is memory, file or redis; it got ""'],
  [['--data', 'rooms'], '--data goes with --store file'],
  [['--store', 'redis', '--data', 'rooms'], '--data goes with --store file'],
  [['--fsync', 'always'], '--fsync goes with --store file'],
  [['--redis', 'redis://localhost'], '--redis goes with --store redis'],
  [['--store', 'file', '--data', 'rooms', '--redis', 'redis://localhost'], '--redis goes with --store redis'],
  [['--store', 'file'], '--store file needs a directory: --data DIR'],
  [['--store', 'file', '--data', ''], '--store file needs a directory: --data DIR'],
  [['--store', 'file', '--data', 'rooms', '--fsync', 'sometimes'], '--fsync is batched, always or never; it got "sometimes"'],
  [['--store', 'redis'], '--store redis needs an address: --redis redis://HOST:PORT'],
  [['--store', 'redis', '--redis', 'http://localhost'], '--store redis needs an address: --redis redis://HOST:PORT'],
])('%j is refused in one sentence', (args, message) => {
  expect(() => parseCommandLine(args, {})).toThrow(new Error(message))
})

test('without a word rooms are kept in memory, and with --store file batched', () => {
  const none = { data: '', redis: '', fsync: 'batched' }
  expect(parseCommandLine([], {}).keeping).toEqual({ ...none, store: 'memory' })
  expect(parseCommandLine(['--store', 'file', '--data', 'rooms'], {}).keeping).toEqual({ ...none, store: 'file', data: 'rooms' })
  const redis = 'redis://localhost:6379'
  expect(parseCommandLine(['--store', 'redis', '--redis', redis], {}).keeping).toEqual({ ...none, store: 'redis', redis })
})
