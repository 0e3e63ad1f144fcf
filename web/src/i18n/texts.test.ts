import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../api/client.ts';
import { en, type Key } from './en.ts';
import { errorText, fill, preferredLang, texts } from './index.tsx';
import { zh } from './zh.ts';

const keys = Object.keys(en) as Key[];
const braces = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

describe('the two languages', () => {
  test('have the same keys', () => {
    expect(Object.keys(zh).sort()).toEqual([...keys].sort());
  });

  test('are both filled in everywhere and take the same values', () => {
    for (const key of keys) {
      expect(en[key].trim(), key).not.toBe('');
      expect(zh[key].trim(), key).not.toBe('');
      expect(braces(zh[key]), key).toEqual(braces(en[key]));
    }
  });

  test('are not mixed up: Chinese texts have Chinese characters, English ones have none', () => {
    // Names, numbers, and the switch that is written in the other language.
    const foreign = new Set<Key>([
      'app.language',
      'app.language_short',
      'home.join_placeholder',
      'apps.app_id',
      'apps.secret',
      'appx.verification_token',
      'appx.encrypt_key',
      'appx.base_url',
      'room.page_of',
      'appx.attempt_failed',
    ]);
    for (const key of keys.filter((k) => !foreign.has(k))) {
      expect(/\p{Script=Han}/u.test(zh[key]), `zh ${key}: ${zh[key]}`).toBe(true);
      expect(/\p{Script=Han}/u.test(en[key]), `en ${key}: ${en[key]}`).toBe(false);
    }
  });

  test('hold no text that no page shows', () => {
    const root = join(import.meta.dirname, '..');
    const source = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((f) => /\.tsx?$/.test(f) && !f.endsWith('.test.ts') && !f.endsWith('.test.tsx') && !/i18n\/(en|zh)\.ts$/.test(f))
      .map((f) => readFileSync(join(root, f), 'utf8'))
      .join('\n');
    const built = [...source.matchAll(/`([a-z_.]*(?:\$\{[^}]+\}[a-z_.]*)+)`/g)].map(
      (m) => new RegExp(`^${m[1]!.replaceAll('.', '\\.').replace(/\$\{[^}]+\}/g, '[a-z_]+')}$`),
    );
    const counted = [...source.matchAll(/tn\('([^']+)'/g)].map((m) => m[1]);
    const unused = keys.filter(
      (k) =>
        !source.includes(`'${k}'`) && !built.some((b) => b.source !== '^[a-z_]+_[a-z_]+$' && b.test(k)) && !counted.includes(k.replace(/_(one|other)$/, '')),
    );
    expect(unused).toEqual([]);
  });
});

test.each([
  [null, ['zh-CN', 'en'], 'zh'],
  [null, ['zh-Hant-TW'], 'zh'],
  [null, ['fr', 'de', 'en-GB', 'zh'], 'en'],
  [null, ['fr'], 'en'],
  [null, [], 'en'],
  ['zh-CN', ['en'], 'zh'],
  ['en', ['zh-CN'], 'en'],
] as const)('language chosen before %s and browser %j give %s', (stored, browser, want) => {
  expect(preferredLang(stored, browser)).toBe(want);
});

test('values are filled in, and a brace without one stays to be noticed', () => {
  expect(fill('{a} and {b} and {a}', { a: 1, b: 'two' })).toBe('1 and two and 1');
  expect(fill('{missing}', { a: 1 })).toBe('{missing}');
});

test('one person is one person, in English', () => {
  expect(texts('en').tn('home.people', 1)).toBe('1 person');
  expect(texts('en').tn('home.people', 0)).toBe('0 people');
  expect(texts('zh').tn('home.people', 1)).toBe('1 人');
});

describe('a refusal in words', () => {
  test.each([
    [new ApiError(400, 'x', { en: 'No.', zh: '不行。' }), 'No.', '不行。'],
    [new ApiError(400, 'x', { en: 'Only English.' }), 'Only English.', 'Only English.'],
    [new ApiError(0, 'offline'), en['error.offline'], zh['error.offline']],
    [new ApiError(403, 'forbidden'), en['error.forbidden'], zh['error.forbidden']],
    [new ApiError(503, 'http_503'), fill(en['error.server'], { status: 503 }), fill(zh['error.server'], { status: 503 })],
    [new ApiError(418, 'http_418'), fill(en['error.refused'], { status: 418 }), fill(zh['error.refused'], { status: 418 })],
  ])('%s', (error, english, chinese) => {
    expect(errorText(error, texts('en'))).toBe(english);
    expect(errorText(error, texts('zh'))).toBe(chinese);
  });
});
