/** The race's script: the same message down four lanes at once. The view last, for it is made of the others. */
import { RaceLanes } from './race/race-lanes.ts'
import { RaceView } from './race/race-view.ts'
import { RaceVote } from './race/race-vote.ts'

customElements.define('race-vote', RaceVote)
customElements.define('race-lanes', RaceLanes)
customElements.define('race-view', RaceView)
