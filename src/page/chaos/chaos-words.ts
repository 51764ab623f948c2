/** What each kind of chaos does, and what to expect of it on each wire. Pure: the words of `<chaos-panel>` and `<chaos-note>`. */
import type { TransportName } from '../../client/index.ts'
import { type ChaosNow, noChaos, type ProxyKind } from '../../lab/events.ts'
import { count, milliseconds, seconds } from '../units.ts'

/** One sentence of what it does, and for each wire one of what to expect. */
export interface Words {
  readonly does: string
  readonly expect: Readonly<Record<TransportName, string>>
}

/** Once: they are over by themselves. */
export const strokes = {
  stall: {
    does: 'All bytes wait 2 s, and then go on: what a lost packet looks like to a program, for TCP sends it again.',
    expect: {
      poll: 'One answer comes up to 2 s late. The next poll goes out after it, never beside it.',
      'long-poll': 'What is said meanwhile comes 2 s late, together in one answer.',
      sse: 'What is said meanwhile comes 2 s late, in one lump. Nothing is lost, and the stream stays open.',
      websocket: 'What is said meanwhile comes 2 s late, in one lump. Nothing is lost, and the socket stays open.',
    },
  },
  cut: {
    does: 'Ends your connections: with FIN as one hangs up, with RST as if nobody had ever been there. A page is not told which.',
    expect: {
      poll: 'Mostly nothing to see: between two polls there is only an idle connection, and the next poll opens another.',
      'long-poll':
        'The held question ends without an answer. On a connection that served before, the browser asks it again by itself and tells nobody (RFC 9112, 9.3.1); on a new one our code does, within 1 s, from the same cursor.',
      sse: 'An EventSource would come back by itself, after the retry that the server told it. This page reads its stream with fetch: our code comes back within 1 s, from the last id.',
      websocket:
        'The socket closes with code 1006. A WebSocket does not come back by itself: our code opens another within 1 s, from its cursor.',
    },
  },
  hole: {
    does: 'For 10 s all bytes vanish both ways, and nobody is told: no FIN, no RST. As when a phone leaves the Wi-Fi.',
    expect: {
      poll: 'The next answer does not come. After 10 s the page gives the request up, and asks again on a new connection.',
      'long-poll':
        'The question looks held as always. What was to answer it is gone: the page gives up when its time is over, 10 s after the longest hold.',
      sse: 'The stream looks open. Only the missing heartbeat betrays it: after 45 s of silence the page opens another.',
      websocket:
        'Its readyState stays OPEN. Only pings and heartbeats notice: the server cuts after 30 s without a pong, the page after 45 s of silence.',
    },
  },
} as const satisfies Record<string, Words>

/** They hold until they are taken back. */
export const conditions = {
  delay: {
    does: 'Every byte comes so much later, in each direction.',
    expect: {
      poll: 'Each poll takes two delays more, and the pause comes on top: fewer polls a minute.',
      'long-poll': 'A message costs two delays: one for it, one for the next question. In a busy room several share an answer.',
      sse: 'A message comes one delay later. Nobody has to ask, so the way back costs nothing.',
      websocket: 'A message comes one delay later, and an acknowledgement two after you sent.',
    },
  },
  jitter: {
    does: 'And up to so much later still, drawn anew each time. The order is kept, as TCP keeps it.',
    expect: {
      poll: 'Polls come unevenly. The pause between them hides most of it.',
      'long-poll': 'Answers come unevenly; what catches up shares an answer.',
      sse: 'Events come in clumps: one that is late holds up all behind it.',
      websocket: 'Frames come in clumps: one that is late holds up all behind it.',
    },
  },
  reader: {
    does: 'You read so slowly: the server can send no faster.',
    expect: {
      poll: 'An answer of 300 B takes 0.3 s at 1 kB/s. The next poll waits for its end, so nothing piles up.',
      'long-poll': 'An answer of 300 B takes 0.3 s at 1 kB/s; what is said meanwhile waits in the log for the next question.',
      sse: 'Events pile up in the server. With 64 KiB waiting it stops reading the log for you, and goes on when you have caught up.',
      websocket: 'Frames pile up in the server. With 64 KiB waiting it stops reading the log for you, and goes on when you have caught up.',
    },
  },
} as const satisfies Record<string, Words>

/** A proxy in the way. */
export const proxies: Readonly<Record<ProxyKind, Words & { readonly name: string; readonly short: string }>> = {
  none: {
    name: 'none',
    short: 'no proxy',
    does: 'Nothing stands between you and the server.',
    expect: {
      poll: 'Choose one to see what it does to polling.',
      'long-poll': 'Choose one to see what it does to long polling.',
      sse: 'Choose one to see what it does to a stream.',
      websocket: 'Choose one to see what it does to a WebSocket.',
    },
  },
  buffers: {
    name: 'buffers answers',
    short: 'a proxy that buffers',
    does: 'Keeps an answer back until there are 4 KiB of it or it ends, as a proxy does that was set up for pages only.',
    expect: {
      poll: 'No harm: a poll is answered at once, and the answer ends.',
      'long-poll': 'No harm: an answer ends with what it brings.',
      sse: 'Events come in lumps, or not at all: a new stream that shows nothing for 5 s is given up, and this page goes down to long polling.',
      websocket: 'No harm: after the handshake it is no answer any more, only bytes.',
    },
  },
  'no-upgrade': {
    name: 'knows no Upgrade',
    short: 'a proxy that knows no Upgrade',
    does: 'Drops the Upgrade header, as a proxy of HTTP/1.0 does: the server sees a plain request.',
    expect: {
      poll: 'No harm: it upgrades nothing.',
      'long-poll': 'No harm: it upgrades nothing.',
      sse: 'No harm: a stream is an answer like any other.',
      websocket: 'An open socket stays. Kill it: the next handshakes fail, and after two this page goes down to SSE, and says so.',
    },
  },
  'idle-cut': {
    name: 'cuts who is silent for 10 s',
    short: 'a proxy that cuts who is silent',
    does: 'Closes a connection on which nothing has passed for 10 s.',
    expect: {
      poll: 'No harm while polls come more often than that.',
      'long-poll': 'In a quiet room each question is cut while it is held, and asked again.',
      sse: 'Heartbeats come every 20 s, too seldom: in a quiet room the stream is cut, and opened again from the last id.',
      websocket: 'The server pings every 10 s, as seldom as that: in a quiet room the socket may be cut, and our code opens another.',
    },
  },
}

export const isChaotic = ({ chaos, blackHoleMs, stallMs }: ChaosNow): boolean =>
  blackHoleMs > 0 ||
  stallMs > 0 ||
  chaos.delayMs !== noChaos.delayMs ||
  chaos.jitterMs !== noChaos.jitterMs ||
  chaos.readBytesPerSecond !== noChaos.readBytesPerSecond ||
  chaos.proxy !== noChaos.proxy

/** What holds, in one sentence without its full stop; empty where nothing does. */
export function holding({ chaos, blackHoleMs, stallMs }: ChaosNow): string {
  const { delayMs, jitterMs, readBytesPerSecond, proxy } = chaos
  return [
    blackHoleMs > 0 && `black hole for ${seconds(blackHoleMs)} more`,
    stallMs > 0 && `all bytes wait ${seconds(stallMs)} more`,
    delayMs > 0 && `${milliseconds(delayMs)} later each way`,
    jitterMs > 0 && `up to ${milliseconds(jitterMs)} of jitter`,
    readBytesPerSecond > 0 && `read at ${bytesPerSecond(readBytesPerSecond)}`,
    proxy !== 'none' && proxies[proxy].short,
  ]
    .filter((part) => part !== false)
    .join(', ')
}

export const bytesPerSecond = (rate: number): string => (rate < 1_000 ? `${count(rate)}\u202fB/s` : `${count(rate / 1_000)}\u202fkB/s`)

/** What was told `passedMs` ago, as it is now. */
export const afterwards = (now: ChaosNow, passedMs: number): ChaosNow => ({
  ...now,
  blackHoleMs: Math.max(0, now.blackHoleMs - passedMs),
  stallMs: Math.max(0, now.stallMs - passedMs),
})
