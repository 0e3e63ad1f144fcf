// Two languages, chosen by the browser's until somebody switches; the choice is remembered on this device.

import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import type { ApiError } from '../api/client.ts';
import { en, type Key } from './en.ts';
import { zh } from './zh.ts';

export type Lang = 'zh' | 'en';
export type { Key };
type Values = Record<string, string | number>;

const storageKey = 'huilu-lang';
const tags: Record<Lang, string> = { zh: 'zh-CN', en: 'en' };

/** preferredLang picks the language: what was chosen before, else the first of the browser's that there is, else English. */
export function preferredLang(stored: string | null, browser: readonly string[]): Lang {
  if (stored) return /^zh/i.test(stored) ? 'zh' : 'en';
  for (const tag of browser) {
    if (/^zh\b/i.test(tag)) return 'zh';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

/** fill puts values into {braces}; a value that is not given leaves its braces standing. */
export function fill(template: string, values: Values = {}): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** A key that has a _one and an _other form. */
export type CountedKey = { [K in Key]: K extends `${infer Base}_one` ? (`${Base}_other` extends Key ? Base : never) : never }[Key];

export interface Texts {
  lang: Lang;
  t: (key: Key, values?: Values) => string;
  /** The form for n things; {n} is filled. */
  tn: (key: CountedKey, n: number, values?: Values) => string;
  setLang: (lang: Lang) => void;
}

export function texts(lang: Lang, setLang: (lang: Lang) => void = () => {}): Texts {
  const table: Record<Key, string> = lang === 'zh' ? zh : en;
  const t = (key: Key, values?: Values) => fill(table[key], values);
  return {
    lang,
    setLang,
    t,
    tn: (key, n, values) => t(`${key}_${new Intl.PluralRules(tags[lang]).select(n) === 'one' ? 'one' : 'other'}` as Key, { n, ...values }),
  };
}

const Context = createContext<Texts>(texts('en'));

export const useTexts = () => useContext(Context);

function readStored(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null; // storage is switched off
  }
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [lang, choose] = useState<Lang>(() => preferredLang(readStored(), navigator.languages ?? [navigator.language]));
  const setLang = useCallback((next: Lang) => {
    choose(next);
    try {
      localStorage.setItem(storageKey, tags[next]);
    } catch {
      // not remembered then
    }
  }, []);
  useEffect(() => {
    document.documentElement.lang = tags[lang];
  }, [lang]);
  const value = useMemo(() => texts(lang, setLang), [lang, setLang]);
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

const ofStatus: Record<number, Key> = { 401: 'error.login_needed', 403: 'error.forbidden', 404: 'error.not_found', 429: 'error.too_many' };

/** errorText says a refusal in the reader's language: the server's own sentence when it sent one. */
export function errorText(error: ApiError, { lang, t }: Pick<Texts, 'lang' | 't'>): string {
  const own = error.texts[lang] ?? error.texts[lang === 'zh' ? 'en' : 'zh'];
  if (own) return own;
  if (error.code === 'offline' || error.code === 'timeout' || error.code === 'unreadable') return t(`error.${error.code}`);
  const known = ofStatus[error.status];
  if (known) return t(known);
  return t(error.status >= 500 || error.status === 0 ? 'error.server' : 'error.refused', { status: error.status });
}
