/** A report on disk: one page to read, data to reckon with, a summary to paste. */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { reportMarkdown } from './markdown.ts'
import { reportPage } from './page.ts'
import type { Report } from './report.ts'
import { runsCsv, summaryCsv } from './runs.ts'

const contents: Readonly<Record<string, (report: Report) => string>> = {
  'report.html': reportPage,
  'report.json': (report) => `${JSON.stringify(report, undefined, 1)}\n`,
  'runs.csv': runsCsv,
  'summary.csv': summaryCsv,
  'summary.md': reportMarkdown,
}

/** Writes all five, and makes the folder. @returns their paths */
export async function writeReport(report: Report, folder: string): Promise<string[]> {
  // Nothing is written before all of it is made, and nothing bears its name before all of it is written.
  const texts = Object.entries(contents).map(([name, content]) => ({ path: join(folder, name), text: content(report) }))
  await mkdir(folder, { recursive: true })
  const unnamed = (path: string): string => `${path}.${process.pid}.tmp`
  await Promise.all(texts.map(({ path, text }) => writeFile(unnamed(path), text)))
  for (const { path } of texts) await rename(unnamed(path), path)
  return texts.map(({ path }) => path)
}
