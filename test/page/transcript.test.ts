import { expect, it } from 'vitest'
import { Transcript } from '../../src/page/transcript.ts'

const say = (transcript: Transcript, seq: number, at: number): void =>
  transcript.say({ seq, id: `message-${seq}`, member: 'm_ann', author: 'Ann', text: `text ${seq}`, at }, 'sse', false)

const shown = (transcript: Transcript): readonly string[] =>
  transcript.lines.map((line) => ('message' in line ? line.message.text : line.gap.reason))

it('takes down what was said until a room was emptied, and nothing that was said since', () => {
  const transcript = new Transcript()
  transcript.miss({ reason: 'trimmed', missed: 3 }, 'sse')
  say(transcript, 1, 1_000)
  say(transcript, 2, 2_000)
  transcript.miss({ reason: 'epoch' }, 'sse')
  say(transcript, 1, 2_001)
  transcript.takeDown(2_000)
  expect(shown(transcript)).toEqual(['epoch', 'text 1'])
})

it('takes down the same whether the word comes before the gap or after it', () => {
  const transcript = new Transcript()
  say(transcript, 1, 1_000)
  transcript.takeDown(1_500)
  expect(shown(transcript)).toEqual([])
  transcript.miss({ reason: 'epoch' }, 'sse')
  say(transcript, 1, 1_600)
  transcript.takeDown(1_500)
  expect(shown(transcript)).toEqual(['epoch', 'text 1'])
})
