// Times and durations as people read them.

import type { Lang } from '../i18n/index.tsx';

const locale = (lang: Lang) => (lang === 'zh' ? 'zh-CN' : 'en');

/** "Mon, Nov 23, 2026, 14:05" in the reader's time zone. */
export function dateTime(ms: number, lang: Lang): string {
  return new Intl.DateTimeFormat(locale(lang), {
    weekday: 'short',
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
  }).format(ms);
}

/** "14:05:09" in the reader's time zone. */
export function timeOfDay(ms: number, lang: Lang): string {
  return new Intl.DateTimeFormat(locale(lang), { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }).format(ms);
}

/** A running clock: "0:07", "12:34", "1:02:03". Negative counts as zero. */
export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, '0');
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** A length in words: "45 s", "12 min 34 s", "1 h 2 min" (seconds no longer matter). */
export function length(ms: number, lang: Lang): string {
  const s = Math.max(0, Math.round(ms / 1000));
  const unit = lang === 'zh' ? { h: ' 小时', m: ' 分', s: ' 秒' } : { h: ' h', m: ' min', s: ' s' };
  const [h, m, rest] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  if (h > 0) return m > 0 ? `${h}${unit.h} ${m}${unit.m}` : `${h}${unit.h}`;
  if (m > 0) return rest > 0 ? `${m}${unit.m} ${rest}${unit.s}` : `${m}${unit.m}`;
  return `${rest}${unit.s}`;
}

/** A meeting number as people say it: "123 456 789". */
export function spacedNumber(no: string): string {
  return no.replace(/(\d{3})(?=\d)/g, '$1 ');
}

/** meetingNumber finds the nine digits in what somebody typed or pasted: the number, spaced or not, or a link to it; null when there are none. */
export function meetingNumber(typed: string): string | null {
  const link = /\/j\/(\d{9})(?:[/?#]|$)/.exec(typed.trim());
  if (link) return link[1] ?? null;
  const digits = typed.replace(/[\s-]/g, '');
  return /^\d{9}$/.test(digits) ? digits : null;
}

/** Up to two letters that stand for a person without a picture: "Ada Lovelace" → "AL", "王小明" → "小明". */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  if (words.length === 0) return '?';
  const first = Array.from(words[0]!);
  if (/\p{Script=Han}/u.test(words[0]!)) return first.slice(-2).join('');
  const last = words.length > 1 ? Array.from(words[words.length - 1]!)[0]! : '';
  return (first[0]! + last).toLocaleUpperCase();
}
