// Where somebody is in the life of joining a meeting.
//
//	lobby ──join──▶ room ──▶ over (left, ended, removed, elsewhere)
//	                 │ connection lost
//	                 ▼
//	              returning ──joined again──▶ room
//	                 └──attempts spent──▶ over (lost)

import { DisconnectReason, type Room } from 'livekit-client';
import type { Joined, JoinRequest } from '../../api/types.ts';

export type Why = 'left' | 'ended' | 'removed' | 'elsewhere' | 'lost';

/** What has to be known to come back: how somebody joined, and what they had switched on. */
export interface Seat {
  joined: Joined;
  request: JoinRequest;
  recorded: boolean;
  mic: boolean;
  camera: boolean;
}

export type Phase =
  | { at: 'lobby'; problem?: string }
  | { at: 'room'; room: Room; seat: Seat }
  | { at: 'returning'; seat: Seat; attempt: number }
  | { at: 'over'; why: Why; seat: Seat };

/** How long to wait before each attempt to come back: two minutes in all, enough for a restart of the server. */
export const returnDelaysMs = [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000, 30_000, 30_000];

/** why translates the SFU's reason. Everything that nobody decided is a lost connection, from which the page comes back. */
export function why(reason: DisconnectReason | undefined): Why {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
      return 'left';
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return 'ended';
    case DisconnectReason.PARTICIPANT_REMOVED:
      return 'removed';
    case DisconnectReason.DUPLICATE_IDENTITY:
      return 'elsewhere';
    default:
      return 'lost';
  }
}
