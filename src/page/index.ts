/** The page's script: its elements, the room last, for it is made of the others. */
import { FourwiresRoom } from './fourwires-room.ts'
import { KeyHelp } from './key-help.ts'
import { MessageComposer } from './message-composer.ts'
import { MessageLog } from './message-log.ts'
import { NotebookField } from './notebook-field.ts'
import { RoomAnnouncer } from './room-announcer.ts'
import { SeqBarcode } from './seq-barcode.ts'
import { TransportToggle } from './transport-toggle.ts'
import { UnsentList } from './unsent-list.ts'
import { WireState } from './wire-state.ts'

const elements = {
  'key-help': KeyHelp,
  'message-composer': MessageComposer,
  'message-log': MessageLog,
  'notebook-field': NotebookField,
  'room-announcer': RoomAnnouncer,
  'seq-barcode': SeqBarcode,
  'transport-toggle': TransportToggle,
  'unsent-list': UnsentList,
  'wire-state': WireState,
  'fourwires-room': FourwiresRoom,
}
for (const [name, element] of Object.entries(elements)) customElements.define(name, element)
