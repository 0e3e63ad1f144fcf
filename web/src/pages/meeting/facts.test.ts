import { DisconnectReason } from 'livekit-client';
import { expect, test } from 'vitest';
import { isGuest, isHost, roomFacts } from './facts.ts';
import { returnDelaysMs, why } from './phase.ts';

const off = { recording: false, recordingSinceMs: null, host: '' };

test.each([
  ['{"recording":true,"recording_since_ms":1700000000000,"host":"p1"}', { recording: true, recordingSinceMs: 1_700_000_000_000, host: 'p1' }],
  ['{"recording":false,"recording_since_ms":null,"host":"p1"}', { ...off, host: 'p1' }],
  ['{"recording":false,"recording_since_ms":5}', off],
  ['{"recording":true}', { recording: true, recordingSinceMs: null, host: '' }],
  ['{"recording":"yes","host":7}', off],
  ['', off],
  [undefined, off],
  ['not json', off],
  ['null', off],
  ['[]', off],
])('metadata %j is read as %j', (metadata, want) => {
  expect(roomFacts(metadata)).toEqual(want);
});

test('the room names the host; attributes count only until it does', () => {
  expect(isHost({ ...off, host: 'p1' }, 'p1', {})).toBe(true);
  expect(isHost({ ...off, host: 'p1' }, 'p2', { role: 'host' })).toBe(false);
  expect(isHost(off, 'p2', { role: 'host' })).toBe(true);
  expect(isHost(off, 'p2', { role: 'participant' })).toBe(false);
  expect(isGuest({ guest: 'true' })).toBe(true);
  expect(isGuest({ guest: 'false' })).toBe(false);
});

test.each([
  [DisconnectReason.CLIENT_INITIATED, 'left'],
  [DisconnectReason.ROOM_DELETED, 'ended'],
  [DisconnectReason.ROOM_CLOSED, 'ended'],
  [DisconnectReason.PARTICIPANT_REMOVED, 'removed'],
  [DisconnectReason.DUPLICATE_IDENTITY, 'elsewhere'],
  [DisconnectReason.SERVER_SHUTDOWN, 'lost'],
  [DisconnectReason.SIGNAL_CLOSE, 'lost'],
  [DisconnectReason.STATE_MISMATCH, 'lost'],
  [DisconnectReason.JOIN_FAILURE, 'lost'],
  [undefined, 'lost'],
] as const)('disconnected because of %s is "%s"', (reason, want) => {
  expect(why(reason)).toBe(want);
});

test('coming back is tried for about two minutes, never in a rush', () => {
  const all = returnDelaysMs.reduce((a, b) => a + b, 0);
  expect(all).toBeGreaterThan(90_000);
  expect(all).toBeLessThan(180_000);
  expect([...returnDelaysMs].sort((a, b) => a - b)).toEqual(returnDelaysMs);
});
