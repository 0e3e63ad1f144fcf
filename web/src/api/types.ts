// The JSON the server speaks with the pages. Times are Unix milliseconds, durations milliseconds.

export interface Me {
  user: { id: string; name: string; email: string; role: 'admin' | 'member' };
  tenant: { key: string; name: string };
}

export type RecordingState = 'none' | 'recording' | 'processing' | 'ready' | 'empty' | 'failed' | 'deleted';

export interface Recording {
  state: RecordingState;
  minute_token: string | null;
  duration_ms: number | null;
  /** 0..1 while processing, null when it cannot be told. */
  progress: number | null;
  /** Why it failed, in words; null otherwise. */
  cause: string | null;
}

export interface Meeting {
  /** null until somebody has joined. */
  meeting_id: string | null;
  meeting_no: string;
  url: string;
  topic: string;
  status: 'reserved' | 'running' | 'ended';
  start_ms: number | null;
  end_ms: number | null;
  is_owner: boolean;
  participants: number;
  recording: Recording | null;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface NewReserve {
  topic: string;
  auto_record: boolean;
  guests: boolean;
  password?: string;
}

export interface Reserve {
  meeting_no: string;
  url: string;
}

/** What anybody who has the link may know before joining. */
export interface JoinInfo {
  topic: string;
  owner_name: string;
  status: 'waiting' | 'running' | 'expired';
  guests_allowed: boolean;
  password_required: boolean;
  recording: boolean;
}

export interface JoinRequest {
  name?: string;
  password?: string;
}

/** One joining: the token and the identity are fresh each time. */
export interface Joined {
  meeting_id: string;
  server_url: string;
  token: string;
  identity: string;
  name: string;
  is_host: boolean;
}

export interface Minute {
  token: string;
  title: string;
  start_ms: number;
  duration_ms: number;
  owner_name: string;
  participants: { name: string; joined_ms: number; left_ms: number | null }[];
  media_url: string;
  poster_url: string | null;
  can_download: boolean;
  is_owner: boolean;
  /** What was sent and is missing from the file, in English; empty for a flawless one. */
  defects?: string[] | null;
}

export interface Consent {
  app: { name: string; app_id: string };
  scopes: { name: string }[];
  user: { name: string };
}

export interface Scope {
  name: string;
  text_en: string;
  text_zh: string;
}

export interface EventType {
  type: string;
  text_en: string;
  text_zh: string;
}

export interface App {
  app_id: string;
  name: string;
  type: 'custom' | 'store';
  scopes: string[];
  redirect_urls: string[];
  event_url: string;
  event_types: string[];
  enabled: boolean;
  verification_token: string;
  encrypt_key: string;
  created_ms: number;
}

export type AppChange = Partial<Pick<App, 'name' | 'scopes' | 'redirect_urls' | 'event_url' | 'event_types' | 'enabled'>>;

/** The answer to making an app: the only time its secret is told, besides rotating it. */
export type NewApp = App & { app_secret: string };

export interface Attempt {
  at_ms: number;
  /** HTTP status, 0 when nothing was answered. */
  status: number;
  latency_ms: number;
  error: string;
}

export interface Delivery {
  event_id: string;
  type: string;
  created_ms: number;
  state: 'pending' | 'delivered' | 'failed';
  attempts: Attempt[] | null;
  next_ms: number | null;
}

export interface User {
  id: string;
  name: string;
  email: string;
  role: 'admin' | 'member';
  disabled: boolean;
  created_ms?: number;
}

export interface Status {
  ready: boolean;
  problems: { code: string; message_en: string; message_zh: string }[] | null;
}
