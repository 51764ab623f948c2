/** An experiment: a question, what is run to answer it, and what was found. */
import type { Bench } from './bench.ts'
import type { Result } from './report/report.ts'

export interface Experiment {
  /** As it is called on the command line. */
  readonly name: string
  readonly question: string
  /** The paper or standard that asked first; absent where the question is ours. */
  readonly source?: string
  /** What was published, with its figure. */
  readonly published?: string
  /** Published parameters → ours, in one sentence. */
  readonly parameters: string
  /** Which options of the command line it obeys. */
  readonly obeys?: readonly string[]
  run(bench: Bench): Promise<Findings>
}

/** What an experiment's `run` resolves to; the rest of its result is known already. */
export type Findings = Pick<Result, 'scenario' | 'findings' | 'tables' | 'charts' | 'checks' | 'notes'>

/** The server failed a promise of the contract, or a message was lost: there is no number. */
export class NoNumber extends Error {}
