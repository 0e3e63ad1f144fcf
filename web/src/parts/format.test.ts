import { expect, test } from 'vitest';
import { clock, initials, length, meetingNumber, spacedNumber } from './format.ts';

test.each([
  ['123456789', '123456789'],
  [' 123 456 789 ', '123456789'],
  ['123-456-789', '123456789'],
  ['https://meet.example/j/123456789', '123456789'],
  ['http://127.0.0.1:8080/j/123456789?from=mail#x', '123456789'],
  ['12345678', null],
  ['1234567890', null],
  ['https://meet.example/j/12345678', null],
  ['https://meet.example/j/1234567890', null],
  ['topic 123456789', null],
  ['', null],
])('of what was typed, %j, the meeting number is %s', (typed, want) => {
  expect(meetingNumber(typed)).toBe(want);
});

test('a meeting number is said in threes', () => {
  expect(spacedNumber('123456789')).toBe('123 456 789');
});

test.each([
  [-5000, '0:00'],
  [0, '0:00'],
  [7999, '0:07'],
  [754_000, '12:34'],
  [3_723_000, '1:02:03'],
])('%d ms on a running clock is %s', (ms, want) => {
  expect(clock(ms)).toBe(want);
});

test.each([
  [0, '0 s', '0 秒'],
  [45_400, '45 s', '45 秒'],
  [60_000, '1 min', '1 分'],
  [59_600, '1 min', '1 分'],
  [754_000, '12 min 34 s', '12 分 34 秒'],
  [3_600_000, '1 h', '1 小时'],
  [3_723_000, '1 h 2 min', '1 小时 2 分'],
])('%d ms in words is %s, %s', (ms, english, chinese) => {
  expect(length(ms, 'en')).toBe(english);
  expect(length(ms, 'zh')).toBe(chinese);
});

test.each([
  ['Ada Lovelace', 'AL'],
  ['ada', 'A'],
  ['王小明', '小明'],
  ['  ', '?'],
  ['Jean Luc Picard', 'JP'],
  ['😀 Smile', '😀S'],
])('the letters for %j are %s', (name, want) => {
  expect(initials(name)).toBe(want);
});
