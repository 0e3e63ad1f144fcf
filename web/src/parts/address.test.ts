import { expect, test } from 'vitest';
import { localPath, loginPath, outside } from './address.ts';

test.each([
  ['/j/123456789', '/j/123456789'],
  ['/oauth/consent?client_id=a&scope=b%20c#d', '/oauth/consent?client_id=a&scope=b%20c#d'],
  [null, '/'],
  ['', '/'],
  ['j/1', '/'],
  ['https://evil.example/', '/'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['/\t/evil.example', '/'],
  ['/\n/evil.example', '/'],
  ['javascript:alert(1)', '/'],
  ['/..//evil.example', '/'],
])('after login, next=%j leads to %s', (next, want) => {
  expect(localPath(next)).toBe(want);
});

test('the way to the login page remembers the way back', () => {
  expect(loginPath({ pathname: '/j/123456789', search: '?a=b&c=d' })).toBe('/login?next=%2Fj%2F123456789%3Fa%3Db%26c%3Dd');
  expect(loginPath({ pathname: '/', search: '' })).toBe('/login');
});

test.each([
  ['https://app.example/callback?code=1', true],
  ['http://127.0.0.1:9000/cb', true],
  ['myapp://callback', true],
  ['javascript:alert(1)', false],
  [' JaVaScRiPt:alert(1)', false],
  ['data:text/html,x', false],
  ['/relative', false],
  ['', false],
])('an app may have people sent to %s: %s', (address, want) => {
  expect(outside(address)).toBe(want);
});
