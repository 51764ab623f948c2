/** All scenarios, in the order of the table. */
import type { Scenario } from '../scenario.ts'
import { duplicatedRequest, html502, jitter, lostAcknowledgement, lostResponse, reorderedAnswers, splitUtf8 } from './answers.ts'
import {
  blackHole,
  bufferingProxy,
  frozenPeer,
  halfClose,
  idleKiller,
  resetStorm,
  slowReader,
  stall,
  switchStorm,
  trimmedReader,
} from './connections.ts'
import { cutEverywhere, cutPublish } from './cuts.ts'
import { drain, kill9, restart, rollback, storeStopped, twoNodes } from './processes.ts'

export const scenarios: readonly Scenario[] = [
  lostResponse,
  lostAcknowledgement,
  duplicatedRequest,
  reorderedAnswers,
  html502,
  splitUtf8,
  jitter,
  cutEverywhere,
  cutPublish,
  stall,
  frozenPeer,
  blackHole,
  bufferingProxy,
  idleKiller,
  halfClose,
  resetStorm,
  slowReader,
  trimmedReader,
  switchStorm,
  restart,
  kill9,
  drain,
  rollback,
  twoNodes,
  storeStopped,
]
