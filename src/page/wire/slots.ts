/** Which connection has which row: one that is seen stays where it is, so that nothing jumps. */

export class Slots {
  #rows: (number | undefined)[] = []

  /** `seen` by importance, the most important first. Returns connection ids by row; the rest finds no room. */
  assign(seen: readonly number[], most: number): readonly (number | undefined)[] {
    const wanted = new Set(seen.slice(0, most))
    const rows = this.#rows.slice(0, most).map((id) => (id !== undefined && wanted.has(id) ? id : undefined))
    for (const id of rows) if (id !== undefined) wanted.delete(id)
    // The oldest of the new ones further up.
    for (const id of [...wanted].toSorted((one, other) => one - other)) {
      const free = rows.indexOf(undefined)
      if (free === -1) rows.push(id)
      else rows[free] = id
    }
    this.#rows = rows
    return rows
  }
}
