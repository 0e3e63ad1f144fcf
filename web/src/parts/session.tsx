// Who is signed in. Asked once when the program starts; pages that need somebody send others to the login page.

import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { Navigate, useLocation } from 'react-router';
import { ApiError } from '../api/client.ts';
import * as api from '../api/calls.ts';
import type { Me } from '../api/types.ts';
import { useTexts } from '../i18n/index.tsx';
import { loginPath } from './address.ts';
import { Gate } from './gate.tsx';
import { Loading, Notice, Problem } from './states.tsx';

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

  const value = useMemo(
    () => ({ known, me: known.state === 'in' ? known.me : null, login, logout, ended, reload }),
    [known, login, logout, ended, reload],
  );
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

/** RequireSession shows children to people who are signed in, and the login page to others. */
export function RequireSession({ children }: { children: ReactNode }) {
  const { known, reload } = useSession();
  const here = useLocation();
  if (known.state === 'loading') return <Loading />;
  if (known.state === 'out') return <Navigate to={loginPath(here)} replace />;
  if (known.state === 'error') {
    return (
      <Gate>
        <Problem error={known.error} onRetry={reload} />
      </Gate>
    );
  }
  return children;
}

/** RequireAdmin is RequireSession, and a friendly refusal to people who are no administrators. */
export function RequireAdmin({ children }: { children: ReactNode }) {
  const { me } = useSession();
  const { t } = useTexts();
  return (
    <RequireSession>
      {me?.user.role === 'admin' ? children : <Notice title={t('admin.only_title')} text={t('admin.only_text', { tenant: me?.tenant.name ?? '' })} home testId="admin-only" />}
    </RequireSession>
  );
}
