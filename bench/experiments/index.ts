/** Every experiment, by the name that the command line has for it. */
import type { Experiment } from '../experiment.ts'
import { aaNull } from './aa-null.ts'
import { abril5Updates } from './abril-5-updates.ts'
import { agarwalPenalty } from './agarwal-penalty.ts'
import { batchingBeatsPush } from './batching-beats-push.ts'
import { bigestans100 } from './bigestans-100.ts'
import { bozdag2007Misses } from './bozdag-2007-misses.ts'
import { bozdag2009Packets } from './bozdag-2009-packets.ts'
import { bozdag2009Redundant } from './bozdag-2009-redundant.ts'
import { bozdag2009Triptime } from './bozdag-2009-triptime.ts'
import { bozdagCpuReversal } from './bozdag-cpu-reversal.ts'
import { bytesVsRate } from './bytes-vs-rate.ts'
import { centrifugoIdle } from './centrifugo-idle.ts'
import { coordinatedOmission } from './coordinated-omission.ts'
import { etherpadCoalesce } from './etherpad-coalesce.ts'
import { fanOut } from './fan-out.ts'
import { gutwinGroupware } from './gutwin-groupware.ts'
import { hall } from './hall.ts'
import { hpbn10k } from './hpbn-10k.ts'
import { hpbnCrossover } from './hpbn-crossover.ts'
import { idleCost } from './idle-cost.ts'
import { latency } from './latency.ts'
import { lubbersQuantumBytes } from './lubbers-quantum-bytes.ts'
import { lubbersQuantumLatency } from './lubbers-quantum-latency.ts'
import { lubbersThrottle } from './lubbers-throttle.ts'
import { overhead } from './overhead.ts'
import { phaseLock } from './phase-lock.ts'
import { pimentel4hz } from './pimentel-4hz.ts'
import { puranikBandwidth } from './puranik-bandwidth.ts'
import { reconnectStorm } from './reconnect-storm.ts'
import { requests } from './requests.ts'
import { rfc6202BufferingProxy } from './rfc6202-buffering-proxy.ts'
import { rfc6202Degradation } from './rfc6202-degradation.ts'
import { rfc6202Timeouts } from './rfc6202-timeouts.ts'
import { rfc6202Transits } from './rfc6202-transits.ts'
import { sh3b0Loss } from './sh3b0-loss.ts'
import { shootoutBroadcast } from './shootout-broadcast.ts'
import { skvorcWsVsTcp } from './skvorc-ws-vs-tcp.ts'
import { slowReader } from './slow-reader.ts'
import { tangenChatSaturation } from './tangen-chat-saturation.ts'
import { webtideRooms } from './webtide-rooms.ts'

/** What `npm run bench` runs where no experiment is named, in this order. */
export const questions: readonly Experiment[] = [
  overhead,
  bytesVsRate,
  latency,
  coordinatedOmission,
  fanOut,
  idleCost,
  reconnectStorm,
  slowReader,
]

/** What was published by others, and by us, and can be run again: `--literature`. */
export const literature: readonly Experiment[] = [
  bozdag2009Triptime,
  bozdag2009Redundant,
  bozdag2007Misses,
  bozdag2009Packets,
  bozdagCpuReversal,
  lubbersQuantumBytes,
  lubbersQuantumLatency,
  lubbersThrottle,
  pimentel4hz,
  agarwalPenalty,
  skvorcWsVsTcp,
  puranikBandwidth,
  gutwinGroupware,
  rfc6202Transits,
  rfc6202Degradation,
  rfc6202Timeouts,
  rfc6202BufferingProxy,
  hpbnCrossover,
  hpbn10k,
  batchingBeatsPush,
  abril5Updates,
  bigestans100,
  tangenChatSaturation,
  etherpadCoalesce,
  shootoutBroadcast,
  webtideRooms,
  centrifugoIdle,
  sh3b0Loss,
  phaseLock,
  coordinatedOmission,
  aaNull,
]

/** Only where it is named. */
export const others: readonly Experiment[] = [requests, hall]

export const experiments: readonly Experiment[] = [...new Set([...questions, ...literature, ...others])]
