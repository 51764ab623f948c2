/** Who is here: the whole list, kept from what the wires tell of changes. */
import type { Member, MembersChange, Present } from '../protocol/message.ts'
import { parseVersion } from '../protocol/version.ts'

export type PresentMember = Member & Present

export class Members {
  #version = '0'
  readonly #present = new Map<string, PresentMember>()

  /** What we know, to be told only what changes after it. */
  get version(): string {
    return this.#version
  }
  get list(): readonly PresentMember[] {
    return [...this.#present.values()]
  }

  /** Returns whether it brought anything new. */
  accept({ version, list }: MembersChange): boolean {
    const [known, told] = [parseVersion(this.#version), parseVersion(version)]
    if (told === undefined) return false
    // Another epoch: the server does not know what we know, and tells everything.
    if (told.epoch !== known?.epoch) this.#present.clear()
    // Asked for by a new wire while the old one went on telling.
    else if (told.number <= known.number) return false
    this.#version = version
    for (const [id, present] of Object.entries(list)) {
      if (present === null) this.#present.delete(id)
      else this.#present.set(id, { id, ...present })
    }
    return true
  }
}
