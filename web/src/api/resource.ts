import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError } from './client.ts';

/** What a page knows of something it asked for. An answer once had stays shown while it is asked for again. */
export type Resource<T> =
  | { state: 'loading'; data?: undefined; error?: undefined }
  | { state: 'ready'; data: T; error?: ApiError }
  | { state: 'error'; data?: undefined; error: ApiError };

export interface ResourceOptions<T> {
  /** Ask again after this long, in ms; 0 or undefined: not. May depend on the last answer. */
  every?: number | ((answer: Resource<T>) => number);
}

const asApiError = (e: unknown) => (e instanceof ApiError ? e : new ApiError(0, 'unexpected', { en: String(e) }));

/**
 * useResource loads something for a page and keeps it fresh. A new key starts over; a failed refresh keeps
 * the last answer and puts the error beside it, so that a short loss of the network does not empty the page.
 */
export function useResource<T>(key: string, load: (signal: AbortSignal) => Promise<T>, options: ResourceOptions<T> = {}) {
  const [kept, setKept] = useState<{ key: string; value: Resource<T> }>({ key, value: { state: 'loading' } });
  const [round, setRound] = useState(0);
  const loader = useRef(load);
  loader.current = load;
  const value: Resource<T> = kept.key === key ? kept.value : { state: 'loading' };

  useEffect(() => {
    const stop = new AbortController();
    loader.current(stop.signal).then(
      (data) => !stop.signal.aborted && setKept({ key, value: { state: 'ready', data } }),
      (cause) => {
        if (stop.signal.aborted) return;
        const error = asApiError(cause);
        // Refused is refused; only the lack of an answer may leave the old one standing.
        const transient = error.status === 0 || error.status >= 500;
        setKept((old) =>
          old.key === key && old.value.state === 'ready' && transient ? { key, value: { ...old.value, error } } : { key, value: { state: 'error', error } },
        );
      },
    );
    return () => stop.abort();
  }, [key, round]);

  const every = typeof options.every === 'function' ? options.every(value) : (options.every ?? 0);
  useEffect(() => {
    if (!every || value.state === 'loading') return;
    const timer = setTimeout(() => setRound((n) => n + 1), every);
    return () => clearTimeout(timer);
  }, [every, value]);

  const reload = useCallback(() => setRound((n) => n + 1), []);
  return { ...value, reload };
}
