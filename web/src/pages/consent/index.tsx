import { Alert, Anchor, Button, Group, List, Stack, Text, ThemeIcon } from '@mantine/core';
import { IconApps, IconCheck, IconShieldX } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { Navigate, useLocation, useNavigate } from 'react-router';
import * as api from '../../api/calls.ts';
import { ApiError } from '../../api/client.ts';
import { useResource } from '../../api/resource.ts';
import type { Consent, Scope } from '../../api/types.ts';
import { errorText, useTexts } from '../../i18n/index.tsx';
import { loginPath, outside } from '../../parts/address.ts';
import { Gate } from '../../parts/gate.tsx';
import { RequireSession } from '../../parts/require.tsx';
import { useSession } from '../../parts/session.tsx';
import { Loading, Notice, PageTitle, Problem } from '../../parts/states.tsx';

export function ConsentPage() {
  const { search } = useLocation();
  return (
    <RequireSession>
      <Gate>
        <Ask query={search.replace(/^\?/, '')} />
      </Gate>
    </RequireSession>
  );
}

function Ask({ query }: { query: string }) {
  const texts = useTexts();
  const { ended } = useSession();
  const here = useLocation();
  const asked = useResource(query, (signal) => api.consent(query, signal));
  // The words for the scopes; without them their names are shown.
  const words = useResource('scopes', api.scopes);
  const expired = asked.error?.status === 401;
  useEffect(() => {
    if (expired) ended();
  }, [expired, ended]);

  if (expired) return <Navigate to={loginPath(here)} replace />;
  if (asked.state === 'loading' || words.state === 'loading') return <Loading />;
  if (asked.state === 'error') {
    if (asked.error.status < 400 || asked.error.status >= 500) return <Problem error={asked.error} onRetry={asked.reload} />;
    return <BadRequest error={asked.error} />;
  }
  return <Decide query={query} asked={asked.data} words={words.data ?? []} lang={texts.lang} />;
}

function BadRequest({ error }: { error: ApiError }) {
  const texts = useTexts();
  const { t } = texts;
  return (
    <Notice title={t('consent.bad_title')} text={t('consent.bad_text')} icon={<IconShieldX size={44} stroke={1.4} aria-hidden />} testId="consent-bad">
      <Text size="sm" className="mono">
        {t('consent.code', { code: error.code })}: {errorText(error, texts)}
      </Text>
    </Notice>
  );
}

function Decide({ query, asked, words, lang }: { query: string; asked: Consent; words: Scope[]; lang: 'zh' | 'en' }) {
  const texts = useTexts();
  const { t } = texts;
  const [busy, setBusy] = useState<'allow' | 'deny' | null>(null);
  const [problem, setProblem] = useState('');
  const scopes = asked.scopes ?? [];

  const decide = async (allow: boolean) => {
    setBusy(allow ? 'allow' : 'deny');
    setProblem('');
    try {
      const { redirect } = await api.decide(query, allow);
      if (!outside(redirect)) {
        setProblem(t('consent.bad_redirect'));
        setBusy(null);
        return;
      }
      location.assign(redirect);
    } catch (error) {
      setProblem(errorText(error instanceof ApiError ? error : new ApiError(0, 'unexpected'), texts));
      setBusy(null);
    }
  };

  return (
    <Stack gap="md" data-testid="consent" data-app-id={asked.app.app_id}>
      <Group wrap="nowrap" gap="md">
        <ThemeIcon size={46} radius="lg" variant="light">
          <IconApps size={26} aria-hidden />
        </ThemeIcon>
        <Stack gap={0} miw={0}>
          <PageTitle size="h3">{t('consent.title', { app: asked.app.name })}</PageTitle>
          <Text size="xs" c="dimmed" className="mono">
            {t('consent.app_id', { id: asked.app.app_id })}
          </Text>
        </Stack>
      </Group>
      <Text size="sm">{scopes.length > 0 ? t('consent.lead') : t('consent.none')}</Text>
      {scopes.length > 0 && (
        <List spacing={8} size="sm" center icon={<IconCheck size={17} color="var(--mantine-color-lake-6)" aria-hidden />} data-testid="consent-scopes">
          <List.Item>{t('consent.identity')}</List.Item>
          {scopes.map((s) => (
            <List.Item key={s.name} data-scope={s.name}>
              <span title={s.name}>{wordsFor(s.name, words, lang)}</span>
            </List.Item>
          ))}
        </List>
      )}
      {problem && (
        <Alert color="coral" variant="light" role="alert" data-testid="consent-problem">
          {problem}
        </Alert>
      )}
      <Group grow gap="sm">
        <Button variant="default" size="md" onClick={() => decide(false)} loading={busy === 'deny'} disabled={busy === 'allow'} data-testid="consent-deny">
          {t('consent.deny')}
        </Button>
        <Button size="md" onClick={() => decide(true)} loading={busy === 'allow'} disabled={busy === 'deny'} data-testid="consent-allow">
          {t('consent.allow')}
        </Button>
      </Group>
      <Text size="xs" c="dimmed" role="status">
        {busy ? t('consent.sending') : t('consent.note')}
      </Text>
      <Who name={asked.user.name} />
    </Stack>
  );
}

function Who({ name }: { name: string }) {
  const { t } = useTexts();
  const { logout } = useSession();
  const here = useLocation();
  const navigate = useNavigate();
  const other = async () => {
    await logout();
    navigate(loginPath(here));
  };
  return (
    <Text size="xs" c="dimmed">
      {t('consent.as', { name })}{' '}
      <Anchor component="button" fz="xs" onClick={other}>
        {t('consent.other')}
      </Anchor>
    </Text>
  );
}

/** What a scope means, or its name when nobody said. */
function wordsFor(name: string, words: Scope[], lang: 'zh' | 'en'): string {
  const found = words.find((w) => w.name === name);
  return (lang === 'zh' ? found?.text_zh : found?.text_en) || name;
}
