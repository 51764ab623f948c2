import { describe, expect, it } from 'vitest'
import { helpText, parseOptions, UsageError } from '../../bench/options.ts'

const refusal = (...args: readonly string[]): string => {
  try {
    parseOptions(args)
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError)
    return (error as Error).message
  }
  throw new Error(`${args.join(' ')} was taken`)
}

describe('the options', () => {
  it('have the values that the command line gives them', () => {
    const args = 'overhead latency --clients 20 --rate 0.5 --payload 16 --poll-interval 250 --rounds 2 --seconds 0.3 --seed 0'
    const rest = '--via https://localhost:8080/chat/ --peers nchan,naive --json --out here --quick'
    expect(parseOptions(`${args} ${rest}`.split(' '))).toEqual({
      given: ['clients', 'rate', 'payload', 'poll-interval', 'rounds', 'seconds', 'seed', 'via', 'peers', 'json', 'out', 'quick'],
      experiments: ['overhead', 'latency'],
      clients: 20,
      rate: 0.5,
      payload: 16,
      pollMs: 250,
      rounds: 2,
      seconds: 0.3,
      seed: 0,
      rttMs: [0],
      via: 'https://localhost:8080/chat',
      peers: ['nchan', 'naive'],
      json: true,
      out: 'here',
      quick: true,
      literature: false,
      list: false,
      help: false,
    })
  })

  it('leave to an experiment what the command line does not say, and draw a seed', () => {
    const { seed, ...rest } = parseOptions([])
    expect(Number.isInteger(seed)).toBe(true)
    expect(rest).toMatchObject({ experiments: [], clients: undefined, rate: undefined, payload: 40, rttMs: [0], via: undefined, peers: [] })
    expect(parseOptions(['-h']).help).toBe(true)
  })

  it('are few and short rounds with --quick, unless they are said', () => {
    const [whole, quick, said] = [parseOptions([]), parseOptions(['--quick']), parseOptions(['--quick', '--rounds', '9'])]
    expect([quick.rounds, said.rounds]).toEqual([3, 9])
    expect(quick.rounds).toBeLessThan(whole.rounds)
    expect(quick.seconds).toBeLessThanOrEqual(whole.seconds)
  })

  it.each([
    ['--clients', '0'],
    ['--clients', '1.5'],
    ['--clients', '1e3'],
    ['--clients', ''],
    ['--rate', '0'],
    ['--rate', '1001'],
    ['--payload', '15'],
    ['--payload', '4097'],
    ['--poll-interval', '9'],
    ['--rounds', '0'],
    ['--seconds', '0.1'],
    ['--seed', 'x'],
    ['--rtt', ''],
    ['--rtt', '10;20'],
    ['--rtt', '0,x'],
    ['--via', 'localhost:8080'],
    ['--via', 'ftp://localhost'],
    ['--peers', ','],
    ['--peers', 'naive,nginx'],
  ])('%s "%s" is refused in one sentence that names it and what it may be', (flag, value) => {
    const sentence = refusal(flag, value)
    expect(sentence).toContain(flag)
    expect(sentence.split('\n')).toHaveLength(1)
  })

  it('refuse pairs of which one would be passed over', () => {
    expect(refusal('--via', 'http://localhost', '--rtt', '50')).toMatch(/--rtt .* --via/)
    expect(refusal('overhead', '--literature')).toContain('--literature')
    expect(refusal('--literature', '--via', 'http://localhost')).toContain('--via')
  })

  it('refuse what is none of them, and say which there are', () => {
    for (const args of [['--client', '3'], ['--clients'], ['--quick=yes']]) {
      const text = refusal(...args)
      expect(text).toContain(args[0]?.split('=')[0])
      expect(text).toContain(helpText())
    }
  })
})
