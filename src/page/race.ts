/** The race's script: the same message down four lanes at once. */
import { RaceView } from './race/race-view.ts'

customElements.define('race-view', RaceView)
