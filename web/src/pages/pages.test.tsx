import { cleanup, screen, waitFor } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { serve, show, signedIn, signedOut } from '../testing/render.tsx';
import { ConsentPage } from './consent/index.tsx';
import { HomePage } from './home/index.tsx';
import { LoginPage } from './login/index.tsx';
import { MinutePage } from './minute/index.tsx';

beforeEach(() => localStorage.setItem('huilu-lang', 'en'));
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  localStorage.clear();
});

const refused = (status: number, code = 'x') => ({ status, body: { error: { code } } });
const here = (router: { state: { location: { pathname: string; search: string } } }) => router.state.location.pathname + router.state.location.search;

describe('the login page', () => {
  test('signs in and goes on to where somebody wanted to be', async () => {
    const asked = serve({
      ...signedOut,
      'POST /api/login': { body: { user: { id: 'u', name: 'Ada', email: 'a@x', role: 'member' }, tenant: { key: 't', name: 'F' } } },
    });
    const router = show('/login', <LoginPage />, '/login?next=%2Fj%2F123456789');
    await userEvent.type(await screen.findByTestId('login-email'), ' ada@x.example ');
    await userEvent.type(screen.getByTestId('login-password'), ' secret ');
    await userEvent.click(screen.getByTestId('login-submit'));
    await waitFor(() => expect(here(router)).toBe('/j/123456789'));
    expect(asked.find((a) => a.path === '/api/login')?.body).toEqual({ email: 'ada@x.example', password: ' secret ' });
  });

  test('says that they do not match, without saying which was wrong', async () => {
    serve({ ...signedOut, 'POST /api/login': refused(401, 'wrong_credentials') });
    show('/login', <LoginPage />, '/login');
    await userEvent.type(await screen.findByTestId('login-email'), 'ada@x.example');
    await userEvent.type(screen.getByTestId('login-password'), 'no{Enter}');
    expect((await screen.findByTestId('login-error')).textContent).toMatch(/do not match/);
  });

  test('asks the server nothing while a field is empty', async () => {
    const asked = serve(signedOut);
    show('/login', <LoginPage />, '/login');
    await userEvent.click(await screen.findByTestId('login-submit'));
    await screen.findByText('Enter your e-mail address.');
    expect(asked.map((a) => a.path)).not.toContain('/api/login');
  });
});

describe('the minute’s page', () => {
  const minute = {
    token: 'tok',
    title: 'Secret plan',
    start_ms: 1,
    duration_ms: 65_000,
    owner_name: 'Ada',
    participants: [{ name: 'Grace', joined_ms: 1, left_ms: 2 }],
    media_url: '/media/tok.mp4',
    poster_url: '/media/tok.jpg',
    can_download: true,
    is_owner: true,
  };
  const open = () => show('/minutes/:token', <MinutePage />, '/minutes/tok');

  test('plays, and lets the owner download', async () => {
    serve({ ...signedIn, 'GET /api/minutes/tok': { body: minute } });
    open();
    const video = await screen.findByTestId('minute-video');
    expect([video.getAttribute('src'), video.getAttribute('poster')]).toEqual(['/media/tok.mp4', '/media/tok.jpg']);
    expect(screen.getByTestId('minute-download').getAttribute('href')).toBe('/media/tok.mp4?download=1');
    expect(screen.queryByTestId('minute-defects')).toBeNull();
    expect(screen.getByTestId('minute-length').textContent).toContain('1 min 5 s');
    screen.getByText('Grace');
  });

  test('says what the file lacks', async () => {
    serve({ ...signedIn, 'GET /api/minutes/tok': { body: { ...minute, defects: ['no sound of Grace from 0:10 to 0:12'] } } });
    open();
    expect((await screen.findByTestId('minute-defects')).textContent).toContain('no sound of Grace');
  });

  test('offers no download to who may not', async () => {
    serve({ ...signedIn, 'GET /api/minutes/tok': { body: { ...minute, can_download: false, is_owner: false } } });
    open();
    await screen.findByTestId('minute-video');
    expect(screen.queryByTestId('minute-download')).toBeNull();
  });

  test.each([
    [403, 'minute-forbidden'],
    [404, 'minute-missing'],
    [409, 'minute-processing'],
    [410, 'minute-gone'],
  ])('a refusal %d is told apart and shows nothing of the content', async (status, id) => {
    serve({ ...signedIn, 'GET /api/minutes/tok': { status, body: { ...minute, error: { code: 'x' } } } });
    open();
    await screen.findByTestId(id);
    expect(document.body.textContent).not.toMatch(/Secret plan|Grace/);
    expect(document.querySelector('video')).toBeNull();
  });

  test('sends people who are not signed in to the login page and back', async () => {
    serve(signedOut);
    const router = open();
    await waitFor(() => expect(here(router)).toBe('/login?next=%2Fminutes%2Ftok'));
  });

  test('does so too when the session has ended meanwhile', async () => {
    serve({ ...signedIn, 'GET /api/minutes/tok': refused(401) });
    const router = open();
    await waitFor(() => expect(here(router)).toBe('/login?next=%2Fminutes%2Ftok'));
  });
});

describe('the consent page', () => {
  const query = 'client_id=cli_1&scope=vc%3Arecord%3Areadonly+offline_access&state=a%26b';
  const asks = { body: { app: { name: 'Archive', app_id: 'cli_1' }, scopes: [{ name: 'vc:record:readonly' }, { name: 'new:scope' }], user: { name: 'Ada' } } };
  const words = { body: [{ name: 'vc:record:readonly', text_en: 'See recordings of meetings', text_zh: '查看会议录制' }] };
  const open = () => show('/oauth/consent', <ConsentPage />, `/oauth/consent?${query}`);

  test('says in plain words what the app may do, and sends the request back unchanged', async () => {
    const left = vi.fn();
    vi.stubGlobal('location', { ...window.location, assign: left });
    const asked = serve({
      ...signedIn,
      [`GET /api/oauth/authorize?${query}`]: asks,
      'GET /api/scopes': words,
      'POST /api/oauth/authorize': { body: { redirect: 'https://app.example/cb?code=1' } },
    });
    open();
    await screen.findByText('See recordings of meetings');
    screen.getByText('new:scope'); // nobody said what it means: its name is better than nothing
    await userEvent.click(screen.getByTestId('consent-allow'));
    await waitFor(() => expect(left).toHaveBeenCalledWith('https://app.example/cb?code=1'));
    expect(asked.at(-1)?.body).toEqual({ query, allow: true });
  });

  test('never follows an address that is a script', async () => {
    const left = vi.fn();
    vi.stubGlobal('location', { ...window.location, assign: left });
    serve({
      ...signedIn,
      [`GET /api/oauth/authorize?${query}`]: asks,
      'GET /api/scopes': words,
      'POST /api/oauth/authorize': { body: { redirect: 'javascript:alert(1)' } },
    });
    open();
    await userEvent.click(await screen.findByTestId('consent-deny'));
    await screen.findByTestId('consent-problem');
    expect(left).not.toHaveBeenCalled();
  });

  test('offers nothing to allow when the request is wrong', async () => {
    serve({
      ...signedIn,
      [`GET /api/oauth/authorize?${query}`]: { status: 400, body: { code: 20029, message: 'redirect_uri is not in the list' } },
      'GET /api/scopes': words,
    });
    open();
    expect((await screen.findByTestId('consent-bad')).textContent).toMatch(/20029.*redirect_uri is not in the list/);
    expect(screen.queryByTestId('consent-allow')).toBeNull();
  });
});

describe('the list of meetings', () => {
  const meeting = (id: string, topic: string) => ({
    meeting_id: id,
    meeting_no: '123456789',
    url: 'https://x/j/123456789',
    topic,
    status: 'ended',
    start_ms: 1,
    end_ms: 2,
    is_owner: true,
    participants: 2,
    recording: { state: 'ready', minute_token: `m${id}`, duration_ms: 1, progress: null, cause: null },
  });

  test('shows a first visitor what to do', async () => {
    serve({ ...signedIn, 'GET /api/meetings': { body: { items: [], next: null } } });
    show('/', <HomePage />, '/');
    await screen.findByTestId('no-meetings');
  });

  test('adds older meetings below, each once', async () => {
    serve({
      ...signedIn,
      'GET /api/meetings': { body: { items: [meeting('1', 'One'), meeting('2', 'Two')], next: 'c 1' } },
      'GET /api/meetings?cursor=c%201': { body: { items: [meeting('2', 'Two'), meeting('3', 'Three')], next: null } },
    });
    show('/', <HomePage />, '/');
    await userEvent.click(await screen.findByTestId('more-meetings'));
    await screen.findByText('Three');
    expect(screen.getAllByTestId('meeting').map((m) => m.dataset.meetingId)).toEqual(['1', '2', '3']);
    expect(screen.queryByTestId('more-meetings')).toBeNull();
    expect(screen.getAllByTestId('watch')[0]?.getAttribute('href')).toBe('/minutes/m1');
  });

  test('a failed first load offers to try again, and that works', async () => {
    let broken = true;
    serve({ ...signedIn, 'GET /api/meetings': () => (broken ? refused(503) : { body: { items: [meeting('1', 'One')], next: null } }) });
    show('/', <HomePage />, '/');
    await screen.findByTestId('problem');
    broken = false;
    await userEvent.click(screen.getByText('Try again'));
    await screen.findByText('One');
  });

  test('joins by a pasted link and explains what is no meeting number', async () => {
    serve({ ...signedIn, 'GET /api/meetings': { body: { items: [], next: null } } });
    const router = show('/', <HomePage />, '/');
    const field = await screen.findByTestId('join-number');
    await userEvent.type(field, '12{Enter}');
    await screen.findByText(/nine digits/);
    await userEvent.clear(field);
    await userEvent.type(field, 'https://meet.example/j/987654321{Enter}');
    await waitFor(() => expect(here(router)).toBe('/j/987654321'));
  });

  test('makes a meeting and shows its link', async () => {
    const asked = serve({
      ...signedIn,
      'GET /api/meetings': { body: { items: [], next: null } },
      'POST /api/reserves': { body: { meeting_no: '555666777', url: 'https://meet.example/j/555666777' } },
    });
    show('/', <HomePage />, '/');
    await userEvent.click(await screen.findByTestId('new-meeting'));
    await userEvent.click(await screen.findByTestId('new-submit'));
    await screen.findByText(/Give the meeting a topic/);
    await userEvent.type(screen.getByTestId('new-topic'), 'Review');
    await userEvent.type(screen.getByTestId('new-password'), '12a');
    await userEvent.click(screen.getByTestId('new-submit'));
    await screen.findByText('A meeting password has 4 to 9 digits.');
    await userEvent.clear(screen.getByTestId('new-password'));
    await userEvent.type(screen.getByTestId('new-password'), '1234');
    await userEvent.click(screen.getByTestId('new-submit'));
    expect(((await screen.findByTestId('new-link')) as HTMLInputElement).value).toBe('https://meet.example/j/555666777');
    expect(asked.find((a) => a.path === '/api/reserves')?.body).toEqual({ topic: 'Review', auto_record: false, guests: true, password: '1234' });
  });
});
