// Pages that need somebody: others are sent to the login page, or told why not.

import { IconLock } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Navigate, useLocation } from 'react-router';
import { useTexts } from '../i18n/index.tsx';
import { loginPath } from './address.ts';
import { Gate } from './gate.tsx';
import { useSession } from './session.tsx';
import { Shell } from './shell.tsx';
import { Loading, Notice, Problem } from './states.tsx';

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
      {me?.user.role === 'admin' ? (
        children
      ) : (
        <Shell>
          <Notice
            title={t('admin.only_title')}
            text={t('admin.only_text', { tenant: me?.tenant.name ?? '' })}
            icon={<IconLock size={44} stroke={1.4} aria-hidden />}
            home
            testId="admin-only"
          />
        </Shell>
      )}
    </RequireSession>
  );
}
