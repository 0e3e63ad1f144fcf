// News of the meeting, said twice: a toast for the eyes, a live region for screen readers.

import { notifications } from '@mantine/notifications';
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react';

interface Announcer {
  /** For screen readers only: what others see from the picture. */
  say: (text: string) => void;
  /** For everybody. */
  tell: (text: string, options?: { id?: string; urgent?: boolean }) => void;
}

const Context = createContext<Announcer>({ say: () => {}, tell: () => {} });

export const useAnnouncer = () => useContext(Context);

export function AnnouncerProvider({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState<{ text: string; n: number }>({ text: '', n: 0 });
  const say = useCallback((text: string) => setSaid((old) => ({ text, n: old.n + 1 })), []);
  const tell = useCallback(
    (text: string, options: { id?: string; urgent?: boolean } = {}) => {
      say(text);
      // role none: the live region has said it already
      notifications.show({
        id: options.id,
        message: text,
        color: options.urgent ? 'coral' : 'lake',
        autoClose: options.urgent ? 8000 : 5000,
        role: 'none',
        withBorder: true,
      });
    },
    [say],
  );
  const value = useMemo(() => ({ say, tell }), [say, tell]);
  return (
    <Context.Provider value={value}>
      {children}
      <div className="hidden" aria-live="assertive" aria-atomic="true" data-testid="announcer">
        <span key={said.n}>{said.text}</span>
      </div>
    </Context.Provider>
  );
}
