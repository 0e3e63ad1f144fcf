// What the server tells everybody in the room: JSON in the room's metadata, attributes of participants.

export interface RoomFacts {
  recording: boolean;
  /** When recording started, Unix ms by the server's clock; null when it is off. */
  recordingSinceMs: number | null;
  /** Identity of the host, "" while there is none. */
  host: string;
}

/** roomFacts reads the metadata. Nothing yet, or anything unexpected, means not recording and no host. */
export function roomFacts(metadata: string | undefined): RoomFacts {
  let m: Record<string, unknown> = {};
  try {
    const decoded: unknown = JSON.parse(metadata || '{}');
    if (typeof decoded === 'object' && decoded !== null) m = decoded as Record<string, unknown>;
  } catch {
    // an old or foreign room: as if empty
  }
  const recording = m.recording === true;
  const since = typeof m.recording_since_ms === 'number' ? m.recording_since_ms : null;
  return { recording, recordingSinceMs: recording ? since : null, host: typeof m.host === 'string' ? m.host : '' };
}

/** isHost: the room names its host; until it does, the participant's own attribute counts. */
export function isHost(facts: RoomFacts, identity: string, attributes: Readonly<Record<string, string>>): boolean {
  return facts.host ? facts.host === identity : attributes.role === 'host';
}

export const isGuest = (attributes: Readonly<Record<string, string>>) => attributes.guest === 'true';
