// A stand-in for the server while working on the pages: `npm run dev` answers /api from memory. It is no part of
// the build. Rooms are real when a LiveKit server runs on this machine (see livekit.ts); without one everything but
// the meeting itself works.
//
//	admin@huilu.example / member@huilu.example, password "huilu-dev-pw"
//	meeting numbers: 100000001 running and recorded, …2 expired, …3 members only, …4 locked, …5 full, …6 password 1234
//	minutes: "ready…" plays, and "forbidden…", "processing…", "gone…" show the refusals

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Plugin } from 'vite';
import type { App, Delivery, Meeting, User } from '../src/api/types.ts';
import { LiveKit } from './livekit.ts';

const now = Date.now();
const minute = 60_000;

interface State {
  users: (User & { password: string })[];
  apps: App[];
  meetings: Meeting[];
  guests: Map<string, boolean>;
  passwords: Map<string, string>;
  recordingSince: number | null;
  host: string;
}

const origin = 'http://127.0.0.1:5173';

function meeting(no: string, topic: string, over: Partial<Meeting>): Meeting {
  return {
    meeting_id: `69111884119344${no.slice(-5)}`,
    meeting_no: no,
    url: `${origin}/j/${no}`,
    topic,
    status: 'ended',
    start_ms: now - 120 * minute,
    end_ms: now - 75 * minute,
    is_owner: true,
    participants: 4,
    recording: null,
    ...over,
  };
}

function recording(state: NonNullable<Meeting['recording']>['state'], over: Partial<NonNullable<Meeting['recording']>> = {}) {
  return { state, minute_token: null, duration_ms: null, progress: null, cause: null, ...over };
}

function firstState(): State {
  return {
    users: [
      { id: 'u_7f2c91ab', name: '林静', email: 'admin@huilu.example', role: 'admin', disabled: false, password: 'huilu-dev-pw' },
      { id: 'u_18d03e55', name: 'Ada Lovelace', email: 'member@huilu.example', role: 'member', disabled: false, password: 'huilu-dev-pw' },
      { id: 'u_90aa4c1f', name: '周明远', email: 'zhou@huilu.example', role: 'member', disabled: true, password: 'huilu-dev-pw' },
    ],
    apps: [
      {
        app_id: 'cli_9f5343c580712544',
        name: '知识库同步',
        type: 'custom',
        scopes: ['vc:record:readonly', 'vc:reserve', 'vc:meeting:readonly'],
        redirect_urls: ['https://kb.example/callback'],
        event_url: 'https://kb.example/webhook',
        event_types: ['vc.meeting.recording_ready_v1'],
        enabled: true,
        verification_token: 'rvaYgkND1GOiu5MM0E1rncYC6PLtF7JV',
        encrypt_key: 'kudryavka-7c1d',
        created_ms: now - 9000 * minute,
      },
      {
        app_id: 'cli_1a2b3c4d5e6f7081',
        name: 'Old importer',
        type: 'custom',
        scopes: ['vc:record:readonly'],
        redirect_urls: [],
        event_url: '',
        event_types: [],
        enabled: false,
        verification_token: 'abc',
        encrypt_key: '',
        created_ms: now - 90000 * minute,
      },
    ],
    meetings: [
      meeting('100000001', '产品周会 · Product weekly', { status: 'running', end_ms: null, start_ms: now - 12 * minute, recording: recording('recording') }),
      meeting('100000007', 'Design review', { status: 'reserved', meeting_id: null, start_ms: null, end_ms: null, participants: 0 }),
      meeting('100000008', 'Sprint retrospective', { recording: recording('processing', { progress: 0.62 }) }),
      meeting('100000009', '季度复盘', {
        recording: recording('ready', { minute_token: 'readyobcn37dxcftoc3656rg', duration_ms: 45 * minute }),
        start_ms: now - 1500 * minute,
        end_ms: now - 1455 * minute,
      }),
      meeting('100000010', 'Interview with a candidate', {
        recording: recording('empty'),
        participants: 2,
        start_ms: now - 2900 * minute,
        end_ms: now - 2890 * minute,
      }),
      meeting('100000011', 'All hands', {
        recording: recording('failed', { cause: 'disk full' }),
        is_owner: false,
        participants: 48,
        start_ms: now - 4000 * minute,
        end_ms: now - 3940 * minute,
      }),
      meeting('100000012', '一对一沟通', { participants: 2, start_ms: now - 5000 * minute, end_ms: now - 4970 * minute }),
    ],
    guests: new Map([['100000003', false]]),
    passwords: new Map([['100000006', '1234']]),
    recordingSince: null,
    host: '',
  };
}

const scopes = [
  ['vc:record:readonly', 'See recordings of meetings', '查看会议录制'],
  ['vc:record', 'Start and stop recording, and decide who may watch', '开始、停止会议录制，并管理录制的查看权限'],
  ['vc:reserve', 'Reserve meetings, change and cancel them', '预约、修改和取消会议'],
  ['vc:meeting:readonly', 'See meetings and who took part', '查看会议和参会信息'],
  ['offline_access', 'Keep access while you are away', '在你离线时保持访问'],
].map(([name, text_en, text_zh]) => ({ name, text_en, text_zh }));

const eventTypes = [
  ['vc.meeting.recording_ready_v1', 'A recording is ready', '录制已生成'],
  ['vc.meeting.meeting_started_v1', 'A meeting starts', '会议开始'],
  ['vc.meeting.meeting_ended_v1', 'A meeting ends', '会议结束'],
  ['vc.meeting.join_meeting_v1', 'Somebody joins', '有人入会'],
].map(([type, text_en, text_zh]) => ({ type, text_en, text_zh }));

const deliveries: Delivery[] = [
  {
    event_id: '5e3702a84e847582be8db7fb73283c02',
    type: 'vc.meeting.recording_ready_v1',
    created_ms: now - 4 * minute,
    state: 'pending',
    next_ms: now + minute,
    attempts: [
      { at_ms: now - 4 * minute, status: 0, latency_ms: 3000, error: 'no answer within 3 s' },
      { at_ms: now - 3.7 * minute, status: 502, latency_ms: 40, error: 'HTTP 502' },
    ],
  },
  {
    event_id: '77aa02a84e847582be8db7fb73283c03',
    type: 'vc.meeting.recording_ready_v1',
    created_ms: now - 1400 * minute,
    state: 'delivered',
    next_ms: null,
    attempts: [{ at_ms: now - 1400 * minute, status: 200, latency_ms: 31, error: '' }],
  },
  {
    event_id: '10bb02a84e847582be8db7fb73283c04',
    type: 'vc.meeting.meeting_ended_v1',
    created_ms: now - 3000 * minute,
    state: 'failed',
    next_ms: null,
    attempts: [{ at_ms: now - 3000 * minute, status: 0, latency_ms: 12, error: 'connection refused' }],
  },
];

/** Refusal is what a route throws to answer something else than 200. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly en = code,
    readonly zh = en,
    readonly field?: string,
  ) {
    super(code);
  }
}

/** Every field any page sends; each route reads its own. */
interface Body {
  email: string;
  password: string;
  name: string;
  topic: string;
  guests: boolean;
  identity: string;
  action: 'start' | 'stop';
  allow: boolean;
  scopes: string[];
  event_url?: string;
  disabled: boolean;
}

interface Asked {
  params: string[];
  query: URLSearchParams;
  body: Body;
  user: State['users'][number] | undefined;
  /** The host the browser asked, where /rtc is handed on to LiveKit. */
  host: string;
  login: (u: State['users'][number] | null) => void;
}

type Route = [method: string, path: RegExp, answer: (a: Asked) => unknown];

function routes(state: State, livekit: LiveKit): Route[] {
  const member = (a: Asked) => {
    if (!a.user) throw new Refusal(401, 'login_required');
    return a.user;
  };
  const me = (u: State['users'][number]) => ({
    user: { id: u.id, name: u.name, email: u.email, role: u.role },
    tenant: { key: '2ca1d211f64f6438', name: '星河设计' },
  });
  const found = (no = '') => {
    const m = state.meetings.find((x) => x.meeting_no === no);
    if (m) return m;
    if (!/^10000000[1-6]$/.test(no)) throw new Refusal(404, 'not_found');
    const made = meeting(no, 'Mock meeting', { status: 'reserved' });
    state.meetings.push(made);
    return made;
  };
  const facts = () => ({ recording: state.recordingSince !== null, recording_since_ms: state.recordingSince, host: state.host });
  const appOf = (id = '') => {
    const a = state.apps.find((x) => x.app_id === id);
    if (!a) throw new Refusal(404, 'not_found');
    return a;
  };
  return [
    ['GET', /^\/api\/me$/, (a) => me(member(a))],
    [
      'POST',
      /^\/api\/login$/,
      (a) => {
        const u = state.users.find((x) => x.email === a.body.email && x.password === a.body.password);
        if (!u) throw new Refusal(401, 'wrong_credentials', 'E-mail and password do not match.', '邮箱或密码不正确。');
        a.login(u);
        return me(u);
      },
    ],
    ['POST', /^\/api\/logout$/, (a) => a.login(null)],
    [
      'GET',
      /^\/api\/status$/,
      () => ({
        ready: false,
        problems: [
          {
            code: 'disk',
            message_en: 'Only 2 GB are left on the disk with recordings. New recordings stop at 1 GB.',
            message_zh: '存放录制的磁盘仅剩 2 GB，剩余 1 GB 时将停止新的录制。',
          },
        ],
      }),
    ],
    [
      'GET',
      /^\/api\/meetings$/,
      (a) => (member(a).role === 'admin' ? { items: state.meetings, next: a.query.get('cursor') ? null : 'older' } : { items: [], next: null }),
    ],
    [
      'POST',
      /^\/api\/reserves$/,
      (a) => {
        member(a);
        const no = String(Math.floor(2e8 + Math.random() * 7e8));
        state.meetings.unshift(meeting(no, a.body.topic, { status: 'reserved', meeting_id: null, start_ms: null, end_ms: null, participants: 0 }));
        state.guests.set(no, Boolean(a.body.guests));
        if (a.body.password) state.passwords.set(no, a.body.password);
        return { meeting_no: no, url: `${origin}/j/${no}` };
      },
    ],
    [
      'GET',
      /^\/api\/join\/(\d+)$/,
      (a) => {
        const m = found(a.params[0]);
        return {
          topic: m.topic,
          owner_name: '林静',
          status: m.meeting_no === '100000002' ? 'expired' : m.status === 'running' ? 'running' : 'waiting',
          guests_allowed: state.guests.get(m.meeting_no) ?? true,
          password_required: state.passwords.has(m.meeting_no),
          recording: m.recording?.state === 'recording' || state.recordingSince !== null,
        };
      },
    ],
    [
      'POST',
      /^\/api\/join\/(\d+)$/,
      async (a) => {
        const m = found(a.params[0]);
        if (m.meeting_no === '100000002') throw new Refusal(409, 'expired');
        if (m.meeting_no === '100000004') throw new Refusal(409, 'locked');
        if (m.meeting_no === '100000005') throw new Refusal(409, 'full');
        if (!a.user && !(state.guests.get(m.meeting_no) ?? true)) throw new Refusal(401, 'login_required');
        if (state.passwords.has(m.meeting_no) && state.passwords.get(m.meeting_no) !== a.body.password) throw new Refusal(403, 'wrong_password');
        const identity = `p_${Math.random().toString(36).slice(2, 10)}`;
        const isHost = a.user?.role === 'admin';
        if (isHost) state.host = identity;
        const id = m.meeting_id ?? '6911188411934400000';
        const name = a.user?.name ?? a.body.name;
        const attributes = { role: isHost ? 'host' : 'participant', guest: String(!a.user) };
        await livekit.setMetadata(id, facts());
        return { meeting_id: id, server_url: `ws://${a.host}`, token: livekit.token(id, identity, name, attributes), identity, name, is_host: isHost };
      },
    ],
    [
      'POST',
      /^\/api\/meetings\/(\d+)\/recording$/,
      (a) => {
        state.recordingSince = a.body.action === 'start' ? Date.now() : null;
        return livekit.setMetadata(a.params[0]!, facts());
      },
    ],
    [
      'POST',
      /^\/api\/meetings\/(\d+)\/host$/,
      (a) => {
        state.host = a.body.identity;
        return livekit.setMetadata(a.params[0]!, facts());
      },
    ],
    ['POST', /^\/api\/meetings\/(\d+)\/end$/, (a) => livekit.end(a.params[0]!)],
    ['POST', /^\/api\/meetings\/(\d+)\/kick$/, (a) => livekit.remove(a.params[0]!, a.body.identity)],
    ['POST', /^\/api\/meetings\/(\d+)\/mute$/, (a) => livekit.mute(a.params[0]!, a.body.identity)],
    [
      'GET',
      /^\/api\/minutes\/(\w+)$/,
      (a) => {
        member(a);
        const token = a.params[0]!;
        if (token.startsWith('forbidden')) throw new Refusal(403, 'forbidden');
        if (token.startsWith('processing')) throw new Refusal(409, 'processing');
        if (token.startsWith('gone')) throw new Refusal(410, 'gone');
        if (!token.startsWith('ready')) throw new Refusal(404, 'not_found');
        const start = now - 1500 * minute;
        return {
          token,
          title: '季度复盘',
          start_ms: start,
          duration_ms: 45 * minute + 12_000,
          owner_name: '林静',
          is_owner: true,
          can_download: true,
          media_url: '/mock/minute.mp4',
          poster_url: null,
          participants: ['林静', 'Ada Lovelace', '周明远', 'Grace Hopper (guest)'].map((name, i) => ({
            name,
            joined_ms: start + i * 40_000,
            left_ms: start + 45 * minute - i * 9000,
          })),
        };
      },
    ],
    [
      'GET',
      /^\/api\/oauth\/authorize$/,
      (a) => {
        if (a.query.get('client_id') !== 'cli_9f5343c580712544') throw new Refusal(400, '20048', 'app does not exist', '应用不存在');
        return {
          app: { name: '知识库同步', app_id: a.query.get('client_id') },
          scopes: (a.query.get('scope') ?? '')
            .split(' ')
            .filter(Boolean)
            .map((name) => ({ name })),
          user: { name: member(a).name },
        };
      },
    ],
    ['POST', /^\/api\/oauth\/authorize$/, (a) => ({ redirect: `${origin}/?${a.body.allow ? 'code=mock' : 'error=access_denied'}` })],
    ['GET', /^\/api\/scopes$/, () => scopes],
    ['GET', /^\/api\/event-types$/, () => eventTypes],
    ['GET', /^\/api\/apps$/, () => ({ items: state.apps })],
    [
      'POST',
      /^\/api\/apps$/,
      (a) => {
        const made: App = {
          app_id: `cli_${Math.random().toString(16).slice(2, 18).padEnd(16, '0')}`,
          name: a.body.name,
          type: 'custom',
          scopes: a.body.scopes,
          redirect_urls: [],
          event_url: '',
          event_types: [],
          enabled: true,
          verification_token: 'vt_mock',
          encrypt_key: 'ek_mock',
          created_ms: Date.now(),
        };
        state.apps.push(made);
        return { ...made, app_secret: 'mockSecretMockSecretMockSecret01' };
      },
    ],
    ['GET', /^\/api\/apps\/(\w+)$/, (a) => appOf(a.params[0])],
    [
      'PATCH',
      /^\/api\/apps\/(\w+)$/,
      (a) => {
        const changed = appOf(a.params[0]);
        if (String(a.body.event_url ?? '').includes('fail'))
          throw new Refusal(400, 'challenge_failed', 'The address answered 404.', '该地址返回了 404。', 'event_url');
        return Object.assign(changed, a.body);
      },
    ],
    ['POST', /^\/api\/apps\/(\w+)\/secret$/, () => ({ app_secret: 'rotatedSecretRotatedSecret000002' })],
    ['GET', /^\/api\/apps\/(\w+)\/deliveries$/, (a) => ({ items: appOf(a.params[0]).enabled ? deliveries : [] })],
    ['GET', /^\/api\/users$/, () => ({ items: state.users })],
    [
      'POST',
      /^\/api\/users$/,
      (a) => {
        if (state.users.some((u) => u.email === a.body.email))
          throw new Refusal(409, 'email_taken', 'Somebody has this e-mail address already.', '该邮箱已被使用。', 'email');
        const made = {
          id: `u_${Math.random().toString(16).slice(2, 10)}`,
          name: a.body.name as string,
          email: a.body.email as string,
          role: 'member' as const,
          disabled: false,
          password: a.body.password as string,
        };
        state.users.push(made);
        return made;
      },
    ],
    ['PATCH', /^\/api\/users\/(\w+)$/, (a) => Object.assign(state.users.find((u) => u.id === a.params[0]) ?? {}, { disabled: a.body.disabled })],
  ];
}

async function readBody(req: IncomingMessage): Promise<Body> {
  let raw = '';
  for await (const chunk of req) raw += chunk;
  return JSON.parse(raw || '{}') as Body;
}

function write(res: ServerResponse, status: number, body: unknown) {
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/json');
  res.end(body === undefined ? '' : JSON.stringify(body));
}

/** A picture with a clock and a beep, made by ffmpeg once, sent with the ranges a player asks for. */
async function sendVideo(req: IncomingMessage, res: ServerResponse) {
  const file = join(tmpdir(), 'huilu-mock-minute.mp4');
  const body = await readFile(file).catch(async () => {
    const input = ['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=25', '-f', 'lavfi', '-i', 'sine=frequency=330:beep_factor=4'];
    await promisify(execFile)('ffmpeg', [
      '-v',
      'error',
      '-y',
      ...input,
      '-t',
      '30',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-pix_fmt',
      'yuv420p',
      '-c:a',
      'aac',
      '-movflags',
      '+faststart',
      file,
    ]);
    return readFile(file);
  });
  const range = /^bytes=(\d+)-(\d*)$/.exec(req.headers.range ?? '');
  const from = Number(range?.[1] ?? 0);
  const to = Math.min(range?.[2] ? Number(range[2]) : body.length - 1, body.length - 1);
  res.writeHead(range ? 206 : 200, {
    'Content-Type': 'video/mp4',
    'Accept-Ranges': 'bytes',
    'Content-Length': to - from + 1,
    ...(range ? { 'Content-Range': `bytes ${from}-${to}/${body.length}` } : {}),
  });
  res.end(body.subarray(from, to + 1));
}

export function mockServer(): Plugin {
  const state = firstState();
  const table = routes(state, new LiveKit('http://127.0.0.1:7880', 'devkey', 'devsecretdevsecretdevsecretdevsecret'));
  const handle = async (req: IncomingMessage, res: ServerResponse, url: URL) => {
    const route = table.find(([method, path]) => method === req.method && path.test(url.pathname));
    if (!route) return write(res, 404, { error: { code: 'no_route' } });
    const mail = /huilu-dev=([^;]+)/.exec(req.headers.cookie ?? '')?.[1];
    try {
      if (req.method !== 'GET' && req.headers['x-huilu'] !== '1') throw new Refusal(403, 'header_missing');
      const answer = await route[2]({
        params: route[1].exec(url.pathname)!.slice(1),
        query: url.searchParams,
        body: await readBody(req),
        host: String(req.headers['x-forwarded-host'] ?? req.headers.host),
        user: state.users.find((u) => u.email === (mail && decodeURIComponent(mail))),
        login: (u) => res.setHeader('Set-Cookie', `huilu-dev=${u ? encodeURIComponent(u.email) : ''}; Path=/`),
      });
      write(res, 200, answer);
    } catch (e) {
      if (!(e instanceof Refusal)) return write(res, 500, { error: { code: 'mock', message_en: String(e), message_zh: String(e) } });
      const said = e.en === e.code ? {} : { message_en: e.en, message_zh: e.zh };
      write(res, e.status, { error: { code: e.code, ...said, field: e.field } });
    }
  };
  return {
    name: 'huilu-mock',
    configureServer(server) {
      server.middlewares.use((req, res, next) => {
        const url = new URL(req.url ?? '/', 'http://mock');
        if (url.pathname.startsWith('/api/')) void handle(req, res, url);
        else if (url.pathname === '/mock/minute.mp4') void sendVideo(req, res);
        else next();
      });
    },
  };
}
