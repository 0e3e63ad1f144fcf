import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError, call, refusal, serverNow } from './client.ts';
import * as api from './calls.ts';

const fetchMock = vi.fn<typeof fetch>();
beforeEach(() => vi.stubGlobal('fetch', fetchMock));
afterEach(() => {
  vi.unstubAllGlobals();
  fetchMock.mockReset();
});

const answer = (status: number, body: string, headers: Record<string, string> = {}) => new Response(body, { status, headers });

test.each([
  [403, { error: { code: 'wrong_password', message_en: 'No', message_zh: '不' } }, 'wrong_password', 'No', '不', undefined],
  [400, { error: { code: 'bad', message_en: 'short', field: 'password' } }, 'bad', 'short', undefined, 'password'],
  [400, { code: 20048, message: 'app does not exist' }, '20048', 'app does not exist', 'app does not exist', undefined],
  [409, { code: 'locked' }, 'locked', undefined, undefined, undefined],
  [500, undefined, 'http_500', undefined, undefined, undefined],
  [502, 'Bad gateway', 'http_502', undefined, undefined, undefined],
  [400, { error: null }, 'http_400', undefined, undefined, undefined],
  [400, { error: { code: { deep: 1 }, message_en: 7 } }, 'http_400', undefined, undefined, undefined],
])('a refusal %d %j is understood', (status, body, code, en, zh, field) => {
  const e = refusal(status, body);
  expect([e.status, e.code, e.texts.en, e.texts.zh, e.field]).toEqual([status, code, en, zh, field]);
});

test('writes carry the header that forms of other sites cannot set, reads do not need it', async () => {
  fetchMock.mockImplementation(async () => answer(200, '{}'));
  await call('POST', '/api/x', { a: 1 });
  await call('GET', '/api/x');
  const sent = fetchMock.mock.calls.map(([, init]) => init as RequestInit & { headers: Record<string, string> });
  expect(sent[0]?.headers['X-Huilu']).toBe('1');
  expect(sent[0]?.headers['Content-Type']).toBe('application/json');
  expect(sent[0]?.body).toBe('{"a":1}');
  expect(sent[1]?.headers['X-Huilu']).toBeUndefined();
  expect(sent[1]?.body).toBeUndefined();
});

test('an empty answer is no error', async () => {
  fetchMock.mockResolvedValue(answer(200, ''));
  await expect(call('POST', '/api/logout')).resolves.toBeUndefined();
});

test('no network is told from a server that answers nonsense', async () => {
  fetchMock.mockRejectedValueOnce(new TypeError('Failed to fetch'));
  await expect(call('GET', '/api/me')).rejects.toMatchObject({ status: 0, code: 'offline' });
  fetchMock.mockResolvedValueOnce(answer(200, '<html>'));
  await expect(call('GET', '/api/me')).rejects.toMatchObject({ status: 200, code: 'unreadable' });
  fetchMock.mockResolvedValueOnce(answer(502, '<html>'));
  await expect(call('GET', '/api/me')).rejects.toMatchObject({ status: 502, code: 'http_502' });
});

test('a page that went away gets no ApiError', async () => {
  const stop = new AbortController();
  stop.abort();
  fetchMock.mockRejectedValueOnce(new DOMException('gone', 'AbortError'));
  const caught = await call('GET', '/api/me', undefined, stop.signal).catch((e: unknown) => e);
  expect(caught).not.toBeInstanceOf(ApiError);
});

test('elapsed times follow the server’s clock when this computer’s is wrong', async () => {
  const hourAhead = new Date(Date.now() + 3_600_000).toUTCString();
  fetchMock.mockResolvedValueOnce(answer(200, '{}', { Date: hourAhead }));
  await call('GET', '/api/me');
  expect(serverNow() - Date.now()).toBeGreaterThan(3_590_000);
  fetchMock.mockResolvedValueOnce(answer(200, '{}', { Date: new Date().toUTCString() }));
  await call('GET', '/api/me');
  expect(Math.abs(serverNow() - Date.now())).toBeLessThan(50);
});

test('names in addresses cannot leave their place', async () => {
  fetchMock.mockImplementation(async () => answer(200, '{}'));
  await api.minute('../users?x');
  await api.hostCalls.end('1/../2');
  expect(fetchMock.mock.calls.map(([path]) => path)).toEqual(['/api/minutes/..%2Fusers%3Fx', '/api/meetings/1%2F..%2F2/end']);
});

test('lists may come bare, wrapped or as null', () => {
  expect(api.list([1])).toEqual([1]);
  expect(api.list({ items: [1] })).toEqual([1]);
  expect(api.list({ items: null })).toEqual([]);
  expect(api.list(null)).toEqual([]);
});
