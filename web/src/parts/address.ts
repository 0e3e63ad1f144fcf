// Addresses that come from outside are followed only after they passed here.

/** localPath returns a path of this server to go on to, or "/" when next would lead elsewhere. */
export function localPath(next: string | null | undefined): string {
  if (!next || !next.startsWith('/') || /^\/[/\\]/.test(next)) return '/';
  try {
    const url = new URL(next, 'http://here.invalid');
    const path = url.pathname + url.search + url.hash;
    // "/..//x" is of this server, yet what is left of it once resolved, "//x", is not.
    return url.origin === 'http://here.invalid' && !path.startsWith('//') ? path : '/';
  } catch {
    return '/';
  }
}

/** loginPath is the login page that comes back to where somebody was. */
export function loginPath(here: { pathname: string; search: string }): string {
  const back = here.pathname + here.search;
  return back === '/' ? '/login' : `/login?next=${encodeURIComponent(back)}`;
}

/** outside says whether an app's redirect address may be followed: never one that runs as a script of this page. */
export function outside(address: string): boolean {
  try {
    return !/^(javascript|data|vbscript|blob|file|about):$/i.test(new URL(address).protocol);
  } catch {
    return false;
  }
}
