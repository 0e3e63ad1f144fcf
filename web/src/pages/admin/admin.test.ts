import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { firstBadLine, lines } from './basics.tsx';
import { curlProgram, goProgram } from './quickstart.tsx';
import { isAddress, sameSet } from './save.tsx';
import { inventPassword } from './users.tsx';

test('the developer’s program names this server and this app, and nothing of the example is left', () => {
  const source = readFileSync(join(import.meta.dirname, '../../../quickstart/main.go'), 'utf8');
  const shown = goProgram(source, 'https://meet.firm.example', 'cli_9f5343c580712544');
  expect(shown.startsWith('package main\n')).toBe(true);
  expect(shown).toContain('baseURL = "https://meet.firm.example"');
  expect(shown).toContain('appID   = "cli_9f5343c580712544"');
  expect(shown).not.toMatch(/huilu\.example|cli_example/);
  expect(curlProgram('https://meet.firm.example', 'cli_1')).toContain('https://meet.firm.example/open-apis/auth/v3/tenant_access_token/internal');
});

test('redirect addresses are read line by line, and the first bad one is named', () => {
  expect(lines(' https://a.example/cb \n\nmyapp://cb\n')).toEqual(['https://a.example/cb', 'myapp://cb']);
  expect(firstBadLine('https://a.example/cb\n\nmyapp://cb')).toBe(0);
  expect(firstBadLine('https://a.example/cb\nno address\n')).toBe(2);
  expect(firstBadLine('')).toBe(0);
});

test('a request URL is http or https', () => {
  expect(['https://a.example/x', 'http://127.0.0.1:1/'].map(isAddress)).toEqual([true, true]);
  expect(['a.example', 'ftp://a.example', 'javascript:x', ''].map(isAddress)).toEqual([false, false, false, false]);
});

test('the order of permissions is no change', () => {
  expect(sameSet(['a', 'b'], ['b', 'a'])).toBe(true);
  expect(sameSet(['a'], ['a', 'b'])).toBe(false);
});

test('made-up passwords are long, readable and differ', () => {
  const made = new Set(Array.from({ length: 50 }, inventPassword));
  expect(made.size).toBe(50);
  for (const p of made) expect(p).toMatch(/^[a-hj-km-np-zA-HJ-NP-Z2-9]{16}$/);
});
