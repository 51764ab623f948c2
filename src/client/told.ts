/** What is told beside the log, kept from what the wires tell of changes: of each member, by id. */
import type { Change } from '../protocol/message.ts'
import { parseVersion } from '../protocol/version.ts'

export class Told<Value> {
  /** What we know, to be told only what changes after it. */
  version = '0'
  readonly list = new Map<string, Value>()

  /** Returns whether it brought anything new. */
  accept(change: Change<Value> | undefined): boolean {
    const [known, told] = [parseVersion(this.version), change && parseVersion(change.version)]
    if (change === undefined || told === undefined) return false
    // Another epoch: the server does not know what we know, and tells everything.
    if (told.epoch !== known?.epoch) this.list.clear()
    // Asked for by a new wire while the old one went on telling.
    else if (told.number <= known.number) return false
    this.version = change.version
    for (const [id, value] of Object.entries(change.list)) {
      if (value === null) this.list.delete(id)
      else this.list.set(id, value)
    }
    return true
  }
}
