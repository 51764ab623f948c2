/** What no answer may be, whatever was asked: the oracles that HTTP and WebSocket share. */
import { problems, type ProblemCode } from '../../src/protocol/problem.ts'

/** Of the inside: a stack, a path, a module, the name of an error. */
const internals = /\bstack\b|node_modules|node:|\.[jt]s\b|\bFST_|\bERR_|\bHPE_|[A-Za-z]Error\b|\/src\/|\n? {4}at |ECONN|EPIPE/

/** Answers seen: how many of each status and of each code. */
export class Tally {
  readonly statuses = new Map<number, number>()
  readonly codes = new Map<string, number>()

  /** One that counts nothing here: for a second look at the same answers. */
  get silent(): Tally {
    return new Tally()
  }

  status(status: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
  }
  code(code: string): void {
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1)
  }
}

/** What is wrong with a problem as it travels; undefined where nothing is. `status` is the answer's, where it has one. */
export function faultOfProblem(text: string, tally: Tally, status?: number): string | undefined {
  let body: Record<string, unknown>
  try {
    body = JSON.parse(text) as Record<string, unknown>
  } catch {
    return `a problem that is no JSON: ${text.slice(0, 200)}`
  }
  const code = String(body['code'])
  tally.code(code)
  if (!Object.hasOwn(problems, code)) return `a code that is not in the table: ${code}`
  if (code === 'internal') return 'an internal problem'
  if (internals.test(text)) return `an answer with internals: ${text.slice(0, 300)}`
  const row = problems[code as ProblemCode]
  if ((status ?? body['status']) !== row.status || body['status'] !== row.status)
    return `${code} with status ${String(status ?? body['status'])}`
  return undefined
}
