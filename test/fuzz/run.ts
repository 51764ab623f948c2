/** npm run fuzz: what is nearly right, by the hundred thousand, and a report of what became of it. */
import { fuzz, type FuzzReport, type Progress, type TargetReport } from './fuzz.ts'
import { type FuzzOptions, helpText, parseOptions } from './options.ts'

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`
const counts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of)
    .map(([name, count]) => `${name} ${count.toLocaleString('en')}`)
    .join(' · ')
/** Of a long input the beginning says what it is; the whole is made again from its number. */
const mostHex = 2_000

function readOptions(): FuzzOptions {
  let options: FuzzOptions | undefined
  try {
    options = parseOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\nTry: npm run fuzz -- --help`)
    process.exit(2)
  }
  if (options !== undefined) return options
  console.log(helpText)
  return process.exit(0)
}

/** One line, written over and over in a terminal, and now and then elsewhere. */
function progressLine(): Progress {
  const everyMs = process.stderr.isTTY ? 250 : 10_000
  let next = performance.now() + everyMs
  return (target, inputs, seconds, rss) => {
    if (performance.now() < next) return
    next = performance.now() + everyMs
    const memory = rss === undefined ? '' : `, server ${mebibytes(rss)}`
    const line = `${target}: ${inputs.toLocaleString('en')} inputs in ${seconds.toFixed(0)} s${memory}`
    process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K${line}` : `${line}\n`)
  }
}

function told({ seed }: FuzzReport, { target, inputs, seconds, failures, wrong, server }: TargetReport): string[] {
  return [
    `${target}: ${inputs.toLocaleString('en')} inputs in ${seconds.toFixed(1)} s (${Math.round(inputs / seconds).toLocaleString('en')}/s), ${failures.length + wrong.length} findings`,
    ...(server === undefined
      ? []
      : [
          `  inputs    ${counts(server.kinds)}`,
          `  answers   ${counts(server.statuses)}`,
          `  codes     ${counts(server.codes)}`,
          `  memory    ${mebibytes(server.rss.start)} at the start, ${mebibytes(server.rss.peak)} at the most, ${mebibytes(server.rss.end)} at the end`,
          `  held      ${counts({ ...server.before, fds: server.before.fds ?? 0 })} before, ${counts({ ...server.after, fds: server.after.fds ?? 0 })} after`,
          `  chat      ${server.said.toLocaleString('en')} messages to four readers meanwhile`,
        ]),
    ...wrong.map((what) => `  FOUND     ${what}`),
    ...failures.flatMap(({ number, kind, fault, sent }) => [
      `  FOUND     ${kind}: ${fault}`,
      `            npm run fuzz -- --target ${target} --seed ${seed} --only ${number}`,
      ...(sent === '' ? [] : [`            ${sent.slice(0, mostHex)}${sent.length > mostHex ? '…' : ''}`]),
    ]),
  ]
}

const options = readOptions()
if (!options.json) console.log(`seed ${options.seed}`)
const report = await fuzz(options, options.json ? () => {} : progressLine())
if (process.stderr.isTTY && !options.json) process.stderr.write('\r\x1b[2K')
console.log(options.json ? JSON.stringify(report) : report.targets.flatMap((each) => told(report, each)).join('\n'))
const sum = (of: (each: TargetReport) => number): number => report.targets.reduce((all, each) => all + of(each), 0)
const found = sum(({ failures, wrong }) => failures.length + wrong.length)
if (!options.json) console.log(`${sum(({ inputs }) => inputs).toLocaleString('en')} inputs, ${found} findings, seed ${report.seed}`)
// Connections of a chat that is over may wait in a pool.
process.exit(found > 0 ? 1 : 0)
