// What the list says about a meeting: one chip, perhaps a hint, perhaps a way to the recording.

import type { Meeting } from '../../api/types.ts';
import type { Key, Texts } from '../../i18n/index.tsx';

export interface Chip {
  key: Extract<Key, `chip.${string}`>;
  color: string;
}

/** A meeting that goes on is told by itself; afterwards the recording is what people look for. */
export function chipOf(m: Meeting): Chip {
  if (m.status === 'reserved') return { key: 'chip.reserved', color: 'gray' };
  const state = m.recording?.state ?? 'none';
  if (m.status === 'running') return state === 'recording' ? { key: 'chip.recording', color: 'coral' } : { key: 'chip.running', color: 'lake' };
  switch (state) {
    case 'recording': // ended a moment ago: composing has not begun
    case 'processing':
      return { key: 'chip.processing', color: 'yellow' };
    case 'ready':
      return { key: 'chip.ready', color: 'lake' };
    case 'failed':
      return { key: 'chip.failed', color: 'coral' };
    case 'empty':
      return { key: 'chip.empty', color: 'gray' };
    case 'deleted':
      return { key: 'chip.deleted', color: 'gray' };
    case 'none':
      return { key: 'chip.none', color: 'gray' };
  }
}

/** hintOf explains a recording that is not simply there; null when nothing needs explaining. */
export function hintOf(m: Meeting, { t }: Pick<Texts, 't'>): string | null {
  const r = m.recording;
  if (!r || m.status !== 'ended') return null;
  switch (r.state) {
    case 'recording':
    case 'processing': {
      if (typeof r.progress !== 'number') return t('hint.processing');
      return t('hint.processing_at', { percent: Math.floor(Math.min(1, Math.max(0, r.progress)) * 100) });
    }
    case 'empty':
      return t('hint.empty');
    case 'failed':
      return t('hint.failed', { cause: r.cause || t('hint.failed_unknown') });
    case 'deleted':
      return t('hint.deleted');
    default:
      return null;
  }
}

/** The path of the page that plays the recording, null when there is nothing to play. */
export function minutePath(m: Meeting): string | null {
  return m.recording?.state === 'ready' && m.recording.minute_token ? `/minutes/${m.recording.minute_token}` : null;
}

/** How long until the list is worth asking for again: soon while something moves, 0 (not) when all is settled. */
export function refreshAfter(meetings: Meeting[]): number {
  const moving = (m: Meeting) => m.status === 'running' || m.recording?.state === 'processing' || m.recording?.state === 'recording';
  return meetings.some(moving) ? 4000 : 0;
}

/** The page of the meeting on this server, whatever host the absolute link names. */
export const joinPath = (meetingNo: string) => `/j/${meetingNo}`;
