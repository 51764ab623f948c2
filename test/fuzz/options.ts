/** The command line of `npm run fuzz`. */
import { parseArgs } from 'node:util'

export const targetNames = ['http', 'websocket', 'cursor'] as const
export type TargetName = (typeof targetNames)[number]

export interface FuzzOptions {
  /** How long each target is fuzzed, and how many inputs at the most. */
  readonly seconds: number
  readonly inputs: number
  readonly seed: number
  readonly targets: readonly TargetName[]
  /** The numbers of inputs to run again, and no others. */
  readonly only: readonly number[] | undefined
  readonly json: boolean
}

export const helpText = `Sends what is nearly right to a server of its own, and looks at what becomes of both.

Usage: npm run fuzz -- [options]

  --seconds <n>     seconds, shared by the targets (default 60)
  --inputs <n>      inputs of each target at the most (default: as many as there is time for)
  --target <name>   http, websocket, cursor or all (default all)
  --seed <n>        the same seed makes the same inputs (default: drawn, and printed)
  --only <n,…>      these inputs of the seed alone, of one target
  --json            the results as JSON on standard output, nothing else there (with npm run -s fuzz)
  --help            this text

Exit code 1 where something was found: each finding says how to run its input again.`

/** @throws Error in one sentence; undefined where help is asked for */
export function parseOptions(args: readonly string[]): FuzzOptions | undefined {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: text,
      inputs: text,
      seed: text,
      target: text,
      only: text,
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help === true) return undefined
  const number = (name: 'seconds' | 'inputs' | 'seed', unless: number): number => {
    const value = values[name]
    if (value === undefined) return unless
    if (/^[0-9]{1,10}$/.test(value)) return Number(value)
    throw new Error(`--${name} is a whole number; it got "${value}"`)
  }
  const { target = 'all', only } = values
  if (target !== 'all' && !(targetNames as readonly string[]).includes(target))
    throw new Error(`--target is ${targetNames.join(', ')} or all; it got "${target}"`)
  if (only !== undefined && !/^[0-9]+(,[0-9]+)*$/.test(only)) throw new Error(`--only is numbers of inputs, as 3,14; it got "${only}"`)
  if (only !== undefined && (target === 'all' || values.seed === undefined))
    throw new Error('--only needs the --seed and the --target that it is of')
  return {
    // Inputs that are told one by one have all the time that they need.
    seconds: only === undefined ? number('seconds', values.inputs === undefined ? 60 : 86_400) : 86_400,
    inputs: number('inputs', Number.POSITIVE_INFINITY),
    seed: number('seed', Math.floor(Math.random() * 2 ** 32)),
    targets: target === 'all' ? targetNames : [target as TargetName],
    only: only?.split(',').map(Number),
    json: values.json === true,
  }
}
