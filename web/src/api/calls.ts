// Every question the pages ask the server, by name.

import { call } from './client.ts';
import type {
  App,
  AppChange,
  Consent,
  Delivery,
  EventType,
  Joined,
  JoinInfo,
  JoinRequest,
  Me,
  Meeting,
  Minute,
  NewApp,
  NewReserve,
  Page,
  Reserve,
  Scope,
  Status,
  User,
} from './types.ts';

const id = encodeURIComponent;

/** list reads an answer that is {items} or a bare array; null means none. */
export function list<T>(answer: { items?: T[] | null } | T[] | null | undefined): T[] {
  if (Array.isArray(answer)) return answer;
  return answer?.items ?? [];
}

export const me = (signal?: AbortSignal) => call<Me>('GET', '/api/me', undefined, signal);
export const login = (email: string, password: string) => call<Me>('POST', '/api/login', { email, password });
export const logout = () => call<void>('POST', '/api/logout');
export const status = (signal?: AbortSignal) => call<Status>('GET', '/api/status', undefined, signal);

export const meetings = (cursor = '', signal?: AbortSignal) =>
  call<Page<Meeting>>('GET', `/api/meetings${cursor ? `?cursor=${id(cursor)}` : ''}`, undefined, signal);
export const reserve = (r: NewReserve) => call<Reserve>('POST', '/api/reserves', r);

export const joinInfo = (no: string, signal?: AbortSignal) => call<JoinInfo>('GET', `/api/join/${id(no)}`, undefined, signal);
export const join = (no: string, r: JoinRequest) => call<Joined>('POST', `/api/join/${id(no)}`, r);

/** What the host may do in a running meeting. */
export const hostCalls = {
  record: (meeting: string, action: 'start' | 'stop') => call<void>('POST', `/api/meetings/${id(meeting)}/recording`, { action }),
  end: (meeting: string) => call<void>('POST', `/api/meetings/${id(meeting)}/end`),
  kick: (meeting: string, identity: string) => call<void>('POST', `/api/meetings/${id(meeting)}/kick`, { identity }),
  mute: (meeting: string, identity: string) => call<void>('POST', `/api/meetings/${id(meeting)}/mute`, { identity }),
  makeHost: (meeting: string, identity: string) => call<void>('POST', `/api/meetings/${id(meeting)}/host`, { identity }),
};

export const minute = (token: string, signal?: AbortSignal) => call<Minute>('GET', `/api/minutes/${id(token)}`, undefined, signal);

export const consent = (query: string, signal?: AbortSignal) => call<Consent>('GET', `/api/oauth/authorize?${query}`, undefined, signal);
export const decide = (query: string, allow: boolean) => call<{ redirect: string }>('POST', '/api/oauth/authorize', { query, allow });

export const scopes = async (signal?: AbortSignal) => list(await call<Scope[]>('GET', '/api/scopes', undefined, signal));
export const eventTypes = async (signal?: AbortSignal) => list(await call<EventType[]>('GET', '/api/event-types', undefined, signal));

export const apps = async (signal?: AbortSignal) => list(await call<{ items: App[] }>('GET', '/api/apps', undefined, signal));
export const app = (appID: string, signal?: AbortSignal) => call<App>('GET', `/api/apps/${id(appID)}`, undefined, signal);
export const createApp = (a: AppChange) => call<NewApp>('POST', '/api/apps', a);
export const changeApp = (appID: string, a: AppChange) => call<App>('PATCH', `/api/apps/${id(appID)}`, a);
export const rotateSecret = (appID: string) => call<{ app_secret: string }>('POST', `/api/apps/${id(appID)}/secret`);
export const deliveries = async (appID: string, signal?: AbortSignal) =>
  list(await call<{ items: Delivery[] }>('GET', `/api/apps/${id(appID)}/deliveries`, undefined, signal));

export const users = async (signal?: AbortSignal) => list(await call<{ items: User[] }>('GET', '/api/users', undefined, signal));
export const createUser = (u: { name: string; email: string; password: string }) => call<User>('POST', '/api/users', u);
export const changeUser = (userID: string, change: { disabled: boolean }) => call<User>('PATCH', `/api/users/${id(userID)}`, change);
