import { expect, test } from 'vitest';
import type { Meeting, RecordingState } from '../../api/types.ts';
import { texts } from '../../i18n/index.tsx';
import { chipOf, hintOf, minutePath, refreshAfter } from './state.ts';

const meeting = (status: Meeting['status'], state?: RecordingState, more: Partial<NonNullable<Meeting['recording']>> = {}): Meeting => ({
  meeting_id: '1',
  meeting_no: '123456789',
  url: '',
  topic: '',
  status,
  start_ms: 0,
  end_ms: 0,
  is_owner: true,
  participants: 1,
  recording: state ? { state, minute_token: null, duration_ms: null, progress: null, cause: null, ...more } : null,
});

test.each([
  ['reserved', undefined, 'chip.reserved', false],
  ['running', undefined, 'chip.running', true],
  ['running', 'none', 'chip.running', true],
  ['running', 'recording', 'chip.recording', true],
  ['ended', 'recording', 'chip.processing', true],
  ['ended', 'processing', 'chip.processing', true],
  ['ended', 'ready', 'chip.ready', false],
  ['ended', 'empty', 'chip.empty', false],
  ['ended', 'failed', 'chip.failed', false],
  ['ended', 'deleted', 'chip.deleted', false],
  ['ended', 'none', 'chip.none', false],
  ['ended', undefined, 'chip.none', false],
] as const)('a meeting that is %s with recording %s shows %s; asked for again: %s', (status, state, chip, moving) => {
  expect(chipOf(meeting(status, state)).key).toBe(chip);
  expect(refreshAfter([meeting('ended'), meeting(status, state)]) > 0).toBe(moving);
});

test('progress is said in whole percent that never pass 100', () => {
  const en = texts('en');
  expect(hintOf(meeting('ended', 'processing', { progress: 0.629 }), en)).toContain('62 % done');
  expect(hintOf(meeting('ended', 'processing', { progress: 1.5 }), en)).toContain('100 % done');
  expect(hintOf(meeting('ended', 'processing'), en)).not.toContain('%');
});

test('a failed recording says why and what to do', () => {
  expect(hintOf(meeting('ended', 'failed', { cause: 'disk full' }), texts('en'))).toMatch(/disk full.*administrator/);
  expect(hintOf(meeting('ended', 'failed'), texts('zh'))).toContain('服务器日志');
});

test('only a ready recording can be opened', () => {
  expect(minutePath(meeting('ended', 'ready', { minute_token: 'abc' }))).toBe('/minutes/abc');
  expect(minutePath(meeting('ended', 'ready'))).toBeNull();
  expect(minutePath(meeting('ended', 'processing', { minute_token: 'abc' }))).toBeNull();
});
