/** Puranik, Feiock and Hill 2013: how many samples a monitor gets for its bandwidth, asked for over Ajax and pushed over a WebSocket. */
import { poll } from '../../src/model/pull.ts'
import { websocket } from '../../src/model/push.ts'
import { bytesPerMessage } from '../../src/model/cost.ts'
import { measureConstants } from '../constants.ts'
import type { Experiment } from '../experiment.ts'
import { around, check } from '../relations.ts'
import { periodicSchedule } from '../statistics.ts'
import { computed, counted, label, lasting, record, said } from './recorded.ts'
import { bytesBothWays } from '../connection.ts'

/** Samples a second, and questions a second. */
const rate = 10
const payload = 60
const clients = 10
const warmupMs = 500
const megabyte = 1e6

export const puranikBandwidth: Experiment = {
  name: 'puranik-bandwidth',
  question: 'How many samples does a monitor get for a megabyte?',
  source: 'Puranik, Feiock and Hill, Real-Time Monitoring using AJAX and WebSockets, ECBS 2013 (abstract)',
  published: '50 % less bandwidth, and up to 215.44 % more samples for the same bandwidth, over a WebSocket',
  parameters: `one question a sample → ${rate} samples/s of ${payload} B at even times, T ${1000 / rate} ms, ${clients} clients a wire, headers as fetch sends them`,
  async run(bench) {
    const constants = await measureConstants(bench, { headers: 'fetch' }, payload)
    const seconds = lasting(bench, 5)
    const wires = ['poll', 'websocket'] as const
    const { groups, lane } = await record(bench, `${rate} samples/s, ${payload} B`, {
      groups: wires.map((wire) => ({ lane: wire, wire, room: 'monitor', clients, pollMs: 1000 / rate, headers: 'fetch' })),
      schedules: { monitor: periodicSchedule(rate, warmupMs / 1000 + seconds) },
      payload,
      warmupMs,
      measureMs: seconds * 1000,
    })
    const load = { rate, payload: constants.messageBytes, roundTripMs: 0, arrivals: 'periodic' } as const
    const models = [poll(load, { intervalMs: 1000 / rate }, constants), websocket(load, {}, constants)]
    const perSample = (name: string): number => bytesBothWays(lane(name).window) / lane(name).window.delivered
    const saved = 1 - perSample('websocket') / perSample('poll')
    const more = perSample('poll') / perSample('websocket') - 1
    const scenario = `${rate} samples/s of ${payload} B, T ${1000 / rate} ms, ${clients} clients a wire, ${seconds} s`
    return {
      scenario,
      findings: [
        `A sample used ${said(perSample('poll'))} B over polling and ${said(perSample('websocket'))} B over WebSocket (counted): ${said(100 * saved)} % less, or ${said(100 * more)} % more samples for the same bytes (${scenario}, n = ${lane('poll').window.delivered} and ${lane('websocket').window.delivered} samples).`,
      ],
      tables: [
        {
          title: 'Bytes a sample, and samples for a megabyte',
          columns: [label('wire'), computed('model', 'B'), counted('bytes a sample', 'B', 1), counted('samples a megabyte'), counted('n')],
          rows: groups.map(({ lane: name, window }, index) => [
            name,
            bytesPerMessage(models[index] as (typeof models)[number], load),
            perSample(name),
            megabyte / perSample(name),
            window.delivered,
          ]),
          note: `Application bytes, both ways. ${scenario}.`,
        },
      ],
      charts: [],
      checks: [
        check("WebSocket's bytes over polling's", perSample('websocket') / perSample('poll'), { high: 0.5 }),
        check('samples a megabyte, WebSocket over polling', perSample('poll') / perSample('websocket'), { low: 2 }),
        ...wires.map((wire, index) =>
          check(`bytes a sample over ${wire} are the model's`, perSample(wire), {
            ...around(bytesPerMessage(models[index] as (typeof models)[number], load), 0.03),
            unit: 'B',
          }),
        ),
      ],
      notes: [
        'The paper also watches the memory of the clients; ours are bare sockets in one process, whose memory says nothing of a browser.',
      ],
    }
  },
}
