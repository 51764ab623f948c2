/** The page's script: its elements, the room last, for it is made of the others. */
import { ChaosNote } from './chaos/chaos-note.ts'
import { ChaosPanel } from './chaos/chaos-panel.ts'
import { FourwiresRoom } from './fourwires-room.ts'
import { FourInARow } from './game/four-in-a-row.ts'
import { JoinCard } from './hall/join-card.ts'
import { PresenterStrip } from './hall/presenter-strip.ts'
import { SharedHeads } from './heads/shared-heads.ts'
import { KeyHelp } from './key-help.ts'
import { MemberCount } from './members/member-count.ts'
import { MemberList } from './members/member-list.ts'
import { MessageComposer } from './message-composer.ts'
import { MessageLog } from './message-log.ts'
import { NotebookField } from './notebook-field.ts'
import { RoomAnnouncer } from './room-announcer.ts'
import { SeqBarcode } from './seq-barcode.ts'
import { ShareLink } from './share-link.ts'
import { SlotNotice } from './slots/slot-notice.ts'
import { TransportToggle } from './transport-toggle.ts'
import { UnsentList } from './unsent-list.ts'
import { ViewTabs } from './view-tabs.ts'
import { WireState } from './wire-state.ts'
import { AcceptStepsFigure } from './wire/accept-steps.ts'
import { ByteInspector } from './wire/byte-inspector.ts'
import { WirePicture } from './wire/wire-picture.ts'
import { WireView } from './wire/wire-view.ts'

const elements = {
  'accept-steps': AcceptStepsFigure,
  'chaos-note': ChaosNote,
  'byte-inspector': ByteInspector,
  'chaos-panel': ChaosPanel,
  'four-in-a-row': FourInARow,
  'join-card': JoinCard,
  'key-help': KeyHelp,
  'member-count': MemberCount,
  'member-list': MemberList,
  'message-composer': MessageComposer,
  'message-log': MessageLog,
  'notebook-field': NotebookField,
  'presenter-strip': PresenterStrip,
  'room-announcer': RoomAnnouncer,
  'seq-barcode': SeqBarcode,
  'shared-heads': SharedHeads,
  'share-link': ShareLink,
  'slot-notice': SlotNotice,
  'transport-toggle': TransportToggle,
  'unsent-list': UnsentList,
  'view-tabs': ViewTabs,
  'wire-state': WireState,
  'wire-picture': WirePicture,
  'wire-view': WireView,
  'fourwires-room': FourwiresRoom,
}
for (const [name, element] of Object.entries(elements)) customElements.define(name, element)
