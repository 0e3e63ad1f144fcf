// The addresses of the pages. handler.go has the same list as pagePaths; a test compares them.

import { createBrowserRouter, Navigate, type RouteObject, useParams, useSearchParams } from 'react-router';
import { Crash, Lost } from './pages/lost.tsx';
import { Loading } from './parts/states.tsx';

/** A refusal of the gateway links here with the scopes that were missing; the console marks them. */
function AskedScopes() {
  const { app_id = '' } = useParams();
  const [query] = useSearchParams();
  return <Navigate to={`/admin/apps/${encodeURIComponent(app_id)}?tab=scopes&q=${encodeURIComponent(query.get('q') ?? '')}`} replace />;
}

const routes: RouteObject[] = [
  { path: '/', lazy: async () => ({ Component: (await import('./pages/home/index.tsx')).HomePage }) },
  { path: '/login', lazy: async () => ({ Component: (await import('./pages/login/index.tsx')).LoginPage }) },
  { path: '/j/:meeting_no', lazy: async () => ({ Component: (await import('./pages/meeting/index.tsx')).MeetingPage }) },
  { path: '/minutes/:token', lazy: async () => ({ Component: (await import('./pages/minute/index.tsx')).MinutePage }) },
  { path: '/oauth/consent', lazy: async () => ({ Component: (await import('./pages/consent/index.tsx')).ConsentPage }) },
  { path: '/admin', element: <Navigate to="/admin/apps" replace /> },
  { path: '/admin/apps', lazy: async () => ({ Component: (await import('./pages/admin/apps.tsx')).AppsPage }) },
  { path: '/admin/apps/:app_id', lazy: async () => ({ Component: (await import('./pages/admin/app.tsx')).AppPage }) },
  { path: '/admin/users', lazy: async () => ({ Component: (await import('./pages/admin/users.tsx')).UsersPage }) },
  { path: '/app/:app_id/auth', element: <AskedScopes /> },
  { path: '*', element: <Lost /> },
];

export const router = createBrowserRouter([{ errorElement: <Crash />, hydrateFallbackElement: <Loading />, children: routes }]);
