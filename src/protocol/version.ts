/** The only file that knows how a version of a room's members, or of their states, is spelled: `epoch.number`. */
import type { Aside } from './message.ts'
import { Problem } from './problem.ts'

export interface Version {
  readonly epoch: string
  readonly number: number
}

/** The version of a room in which nobody is, or carries a state: the same in every room and after every restart. */
export const nobody = 'AAAAAAAAAAAA.0'

const spelling = /^([\w-]{12})\.(0|[1-9]\d{0,14})$/

export const formatVersion = ({ epoch, number }: Version): string => `${epoch}.${number}`

/** What a version says, or undefined where the text is none. */
export function parseVersion(text: string): Version | undefined {
  const [, epoch, number] = spelling.exec(text) ?? []
  return epoch === undefined || number === undefined ? undefined : { epoch, number: Number(number) }
}

/**
 * What a reader knows of an aside: a version, or `0` for nothing yet; undefined for who does not ask.
 * @throws Problem `invalid-request`
 */
export function parseKnown(aside: Aside, text: string | undefined): string | undefined {
  if (text === undefined || text === '0' || parseVersion(text) !== undefined) return text
  throw new Problem('invalid-request', `${aside} is the version of your last list unchanged, or 0.`)
}
