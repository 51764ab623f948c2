/** A directory of a test's own, which goes with it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** Removed when the tests of the file are over, whatever became of them: a store may still be closing when its test ends. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'fourwires-'))
  afterAll(() => rmSync(path, { recursive: true, force: true }))
  return path
}
