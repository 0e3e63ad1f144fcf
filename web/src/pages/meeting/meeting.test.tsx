import { cleanup, screen, waitFor } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Answers, serve, show, signedIn, signedOut } from '../../testing/render.tsx';
import { MeetingPage } from './index.tsx';

// No camera and no SFU here: these tests are about the way to the door. Behind it, see the browser tests.

const getUserMedia = vi.fn(async () => {
  throw Object.assign(new Error('none'), { name: 'NotFoundError' });
});

beforeEach(() => {
  localStorage.setItem('huilu-lang', 'en');
  vi.stubGlobal('isSecureContext', true);
  Object.defineProperty(navigator, 'mediaDevices', {
    configurable: true,
    value: { getUserMedia, enumerateDevices: async () => [], addEventListener: () => {} },
  });
  getUserMedia.mockClear();
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  localStorage.clear();
});

const info = { topic: 'Weekly', owner_name: 'Lin', status: 'running', guests_allowed: true, password_required: false, recording: false };
const door = (body: object, more: Answers = {}): Answers => ({ 'GET /api/join/123456789': { body }, ...more });
const refused = (status: number, code: string) => ({ 'POST /api/join/123456789': { status, body: { error: { code } } } });
const open = () => show('/j/:meeting_no', <MeetingPage />, '/j/123456789');

test('a number that is no meeting says so', async () => {
  serve({ ...signedOut, 'GET /api/join/123456789': { status: 404, body: { error: { code: 'not_found' } } } });
  open();
  expect((await screen.findByTestId('no-such-meeting')).textContent).toContain('123 456 789');
});

test('an expired meeting names who can give a new link', async () => {
  serve({ ...signedOut, ...door({ ...info, status: 'expired' }) });
  open();
  expect((await screen.findByTestId('meeting-expired')).textContent).toContain('Lin');
});

test('who may not come in is not asked for the camera', async () => {
  serve({ ...signedOut, ...door({ ...info, guests_allowed: false }) });
  open();
  await screen.findByTestId('lobby-login-needed');
  expect(screen.getByText('Sign in').closest('a')?.getAttribute('href')).toBe('/login?next=%2Fj%2F123456789');
  expect(getUserMedia).not.toHaveBeenCalled();
});

test('people learn before they join that the meeting is recorded', async () => {
  serve({ ...signedIn, ...door({ ...info, recording: true }) });
  open();
  await screen.findByTestId('lobby-recorded');
});

test('a missing camera is explained and does not keep anybody out', async () => {
  const asked = serve({ ...signedIn, ...door(info, refused(409, 'full')) });
  open();
  const problem = await screen.findByTestId('device-problem');
  await waitFor(() => expect(problem.dataset.problem).toBe('media.missing_camera media.missing_mic'));
  await userEvent.click(screen.getByTestId('join'));
  await screen.findByTestId('join-problem');
  expect(asked.some((a) => a.method === 'POST')).toBe(true);
});

test('a guest needs a name, a protected meeting its password; both are asked for before the server is', async () => {
  const asked = serve({ ...signedOut, ...door({ ...info, password_required: true }, refused(403, 'wrong_password')) });
  open();
  await userEvent.click(await screen.findByTestId('join'));
  await screen.findByText('Enter the name the others shall see.');
  await screen.findByText(/Enter the meeting password/);
  expect(asked.some((a) => a.method === 'POST')).toBe(false);

  await userEvent.type(screen.getByTestId('join-name'), ' Grace ');
  await userEvent.type(screen.getByTestId('join-password'), '0000');
  await userEvent.click(screen.getByTestId('join'));
  await screen.findByText(/not the meeting password/);
  expect(asked.find((a) => a.method === 'POST')?.body).toEqual({ name: 'Grace', password: '0000' });
  expect(document.activeElement).toBe(screen.getByTestId('join-password'));
});

test.each([
  [409, 'locked', /locked/],
  [409, 'full', /full/],
  [403, 'not_allowed', /not among the people/],
])('refused with %d %s, the reason is said', async (status, code, words) => {
  serve({ ...signedIn, ...door(info, refused(status, code)) });
  open();
  await userEvent.click(await screen.findByTestId('join'));
  expect((await screen.findByTestId('join-problem')).textContent).toMatch(words);
});

test('a meeting that expires while somebody is in the lobby becomes the expired page', async () => {
  let expired = false;
  serve({
    ...signedIn,
    'GET /api/join/123456789': () => ({ body: { ...info, status: expired ? 'expired' : 'running' } }),
    'POST /api/join/123456789': () => {
      expired = true;
      return { status: 409, body: { error: { code: 'expired' } } };
    },
  });
  open();
  await userEvent.click(await screen.findByTestId('join'));
  await screen.findByTestId('meeting-expired');
});
