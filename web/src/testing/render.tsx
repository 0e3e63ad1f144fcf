// How tests show a page: with both providers, at an address, against a server that is a table of answers.

import { render } from '@testing-library/react';
import type { ReactElement } from 'react';
import { createMemoryRouter, RouterProvider } from 'react-router';
import { vi } from 'vitest';
import { LanguageProvider } from '../i18n/index.tsx';
import { Look } from '../parts/look.tsx';
import { SessionProvider } from '../parts/session.tsx';

export type Answers = Record<string, { status?: number; body?: unknown } | ((body: unknown) => { status?: number; body?: unknown })>;

export const member = { user: { id: 'u_1', name: 'Ada', email: 'ada@x.example', role: 'member' }, tenant: { key: 't', name: 'Firm' } };
export const signedIn: Answers = { 'GET /api/me': { body: member } };
export const signedOut: Answers = { 'GET /api/me': { status: 401, body: { error: { code: 'login_required' } } } };

/** serve answers fetch from a table keyed "METHOD /path"; the list it returns is what was asked, in order. */
export function serve(answers: Answers): { method: string; path: string; body: unknown }[] {
  const asked: { method: string; path: string; body: unknown }[] = [];
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    const body: unknown = init.body ? JSON.parse(String(init.body)) : undefined;
    asked.push({ method: init.method ?? 'GET', path, body });
    const row = answers[`${init.method} ${path}`] ?? answers[`${init.method} ${path.split('?')[0]}`];
    const answer = typeof row === 'function' ? row(body) : row;
    if (!answer) return new Response('{"error":{"code":"no_route"}}', { status: 404 });
    return new Response(answer.body === undefined ? '' : JSON.stringify(answer.body), { status: answer.status ?? 200 });
  });
  return asked;
}

/** show renders a page at an address; every other address shows "elsewhere". */
export function show(path: string, page: ReactElement, at: string) {
  const router = createMemoryRouter(
    [
      { path, element: page },
      { path: '*', Component: () => <p>elsewhere</p> },
    ],
    { initialEntries: [at] },
  );
  render(
    <LanguageProvider>
      <Look env="test">
        <SessionProvider>
          <RouterProvider router={router} />
        </SessionProvider>
      </Look>
    </LanguageProvider>,
  );
  return router;
}
