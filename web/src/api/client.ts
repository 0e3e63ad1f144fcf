// One way to talk to the server: JSON in and out, the cookie session, and refusals as ApiError.

/** How long an answer may take before the page says so. */
const timeoutMs = 20_000;

/** ApiError is a refusal of the server, or the lack of an answer (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly texts: { en?: string; zh?: string } = {},
    /** The field of the form the refusal is about, when it is about one. */
    readonly field?: string,
  ) {
    super(texts.en ?? code);
    this.name = 'ApiError';
  }
}

interface ErrorBody {
  code?: unknown;
  message?: unknown;
  message_en?: unknown;
  message_zh?: unknown;
  field?: unknown;
}

const text = (v: unknown) => (typeof v === 'string' && v !== '' ? v : undefined);

/** refusal reads the body of an answer that is not 2xx; whatever it holds, the result can be shown. */
export function refusal(status: number, body: unknown): ApiError {
  const outer = (typeof body === 'object' && body !== null ? body : {}) as { error?: unknown };
  const inner = (typeof outer.error === 'object' && outer.error !== null ? outer.error : outer) as ErrorBody;
  const code = typeof inner.code === 'number' ? String(inner.code) : text(inner.code);
  return new ApiError(
    status,
    code ?? `http_${status}`,
    { en: text(inner.message_en) ?? text(inner.message), zh: text(inner.message_zh) ?? text(inner.message) },
    text(inner.field),
  );
}

let serverAheadMs = 0;

/** serverNow is the server's clock as far as its last answer told it, so that elapsed times agree for everybody. */
export function serverNow(): number {
  return Date.now() + serverAheadMs;
}

function readClock(res: Response) {
  const date = Date.parse(res.headers.get('Date') ?? '');
  if (Number.isNaN(date)) return;
  const ahead = date + 500 - Date.now(); // the header has whole seconds: half a second is the expected remainder
  // Closer than the header can tell is the same time.
  serverAheadMs = Math.abs(ahead) < 1500 ? 0 : ahead;
}

async function send(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-Huilu'] = '1'; // a form of another site cannot set it
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    return await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause; // the page no longer wants it
    throw new ApiError(0, limit.aborted ? 'timeout' : 'offline');
  }
}

/** call asks the server and returns the decoded answer, undefined when it is empty; a refusal is thrown as ApiError. */
export async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const res = await send(method, path, body, signal);
  readClock(res);
  const raw = await res.text();
  let decoded: unknown;
  try {
    decoded = raw === '' ? undefined : JSON.parse(raw);
  } catch {
    throw new ApiError(res.status, res.ok ? 'unreadable' : `http_${res.status}`);
  }
  if (!res.ok) throw refusal(res.status, decoded);
  return decoded as T;
}
