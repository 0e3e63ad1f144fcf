// Who is signed in. Asked once when the program starts.

import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { ApiError } from '../api/client.ts';
import * as api from '../api/calls.ts';
import type { Me } from '../api/types.ts';

type Known = { state: 'loading' } | { state: 'in'; me: Me } | { state: 'out' } | { state: 'error'; error: ApiError };

interface Session {
  known: Known;
  /** null while not known and when nobody is signed in. */
  me: Me | null;
  login: (email: string, password: string) => Promise<void>;
  logout: () => Promise<void>;
  /** To be called when the server says 401: the session ended meanwhile. */
  ended: () => void;
  reload: () => void;
}

const Context = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error('useSession outside of SessionProvider');
  return session;
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [known, setKnown] = useState<Known>({ state: 'loading' });
  const [round, setRound] = useState(0);

  useEffect(() => {
    const stop = new AbortController();
    api.me(stop.signal).then(
      (me) => setKnown({ state: 'in', me }),
      (error: unknown) => {
        if (stop.signal.aborted) return;
        if (error instanceof ApiError && error.status === 401) setKnown({ state: 'out' });
        else setKnown({ state: 'error', error: error instanceof ApiError ? error : new ApiError(0, 'unexpected', { en: String(error) }) });
      },
    );
    return () => stop.abort();
  }, [round]);

  const login = useCallback(async (email: string, password: string) => {
    setKnown({ state: 'in', me: await api.login(email, password) });
  }, []);
  const logout = useCallback(async () => {
    try {
      await api.logout();
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) throw error; // 401: it had ended already
    }
    setKnown({ state: 'out' });
  }, []);
  const ended = useCallback(() => setKnown({ state: 'out' }), []);
  const reload = useCallback(() => {
    setKnown({ state: 'loading' });
    setRound((n) => n + 1);
  }, []);

  const value = useMemo(() => ({ known, me: known.state === 'in' ? known.me : null, login, logout, ended, reload }), [known, login, logout, ended, reload]);
  return <Context.Provider value={value}>{children}</Context.Provider>;
}
