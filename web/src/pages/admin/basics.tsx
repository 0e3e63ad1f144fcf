import { Alert, Button, Group, Modal, Stack, Switch, Text, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import * as api from '../../api/calls.ts';
import { ApiError } from '../../api/client.ts';
import type { App } from '../../api/types.ts';
import { errorText, useTexts } from '../../i18n/index.tsx';
import { CopyField } from '../../parts/copy.tsx';
import style from './admin.module.css';
import type { TabProps } from './app.tsx';
import { SaveBar, useSaving } from './save.tsx';

export function Basics({ app, save }: TabProps) {
  return (
    <Stack>
      <Settings app={app} save={save} />
      <Keys app={app} />
      <Enabled app={app} save={save} />
    </Stack>
  );
}

/** The addresses in a text, one per line; empty lines do not count. */
export const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** firstBadLine is the number of the first line (from 1) that is no full address, 0 when all are. */
export function firstBadLine(text: string): number {
  return text.split('\n').findIndex((line) => line.trim() !== '' && !canBeAddress(line.trim())) + 1;
}

/** Programs on a device have schemes of their own, so any scheme is let through here; the server decides. */
function canBeAddress(line: string): boolean {
  try {
    const { protocol, host } = new URL(line);
    return !/^https?:$/.test(protocol) || host !== '';
  } catch {
    return false;
  }
}

function Settings({ app, save }: TabProps) {
  const { t } = useTexts();
  const [name, setName] = useState(app.name);
  const [redirects, setRedirects] = useState((app.redirect_urls ?? []).join('\n'));
  const [bad, setBad] = useState<{ name?: string; redirects?: string }>({});
  const { busy, refused, run } = useSaving();
  const dirty = name.trim() !== app.name || lines(redirects).join('\n') !== (app.redirect_urls ?? []).join('\n');
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const line = firstBadLine(redirects);
    const wrong = { name: name.trim() ? undefined : t('apps.name_needed'), redirects: line ? t('appx.redirects_bad', { n: line }) : undefined };
    setBad(wrong);
    if (wrong.name || wrong.redirects) return;
    void run(() => save({ name: name.trim(), redirect_urls: lines(redirects) }));
  };
  return (
    <form onSubmit={submit} noValidate className={`card ${style.panel}`}>
      <Stack>
        <TextInput
          label={t('apps.name')}
          description={t('apps.name_help')}
          value={name}
          maxLength={60}
          onChange={(e) => setName(e.currentTarget.value)}
          error={bad.name}
          maw={420}
          data-testid="app-name"
        />
        <Textarea
          label={t('appx.redirects')}
          description={t('appx.redirects_help')}
          value={redirects}
          onChange={(e) => setRedirects(e.currentTarget.value)}
          error={bad.redirects}
          placeholder="https://app.example/callback"
          autosize
          minRows={2}
          maxRows={10}
          classNames={{ input: 'mono' }}
          data-testid="app-redirects"
        />
        <SaveBar busy={busy} refused={refused?.text} dirty={dirty} testId="save-basics" />
      </Stack>
    </form>
  );
}

function Keys({ app }: { app: App }) {
  const texts = useTexts();
  const { t } = texts;
  const [asking, setAsking] = useState(false);
  const [secret, setSecret] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const rotate = async () => {
    setBusy(true);
    setProblem('');
    try {
      setSecret((await api.rotateSecret(app.app_id)).app_secret);
      setAsking(false);
    } catch (cause) {
      setProblem(errorText(cause instanceof ApiError ? cause : new ApiError(0, 'unexpected'), texts));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className={`card ${style.panel}`} aria-labelledby="keys">
      <Stack>
        <Text component="h2" id="keys" fw={600} m={0}>
          {t('appx.keys_title')}
        </Text>
        <CopyField label={t('apps.app_id')} value={app.app_id} testId="app-id" />
        {secret ? (
          <>
            <Alert color="yellow" variant="light">
              {t('apps.secret_once')}
            </Alert>
            <CopyField label={t('apps.secret')} value={secret} testId="app-secret" />
          </>
        ) : (
          <Group justify="space-between" align="flex-end">
            <div>
              <Text size="sm" fw={600}>
                {t('apps.secret')}
              </Text>
              <Text size="sm" c="dimmed">
                {t('appx.secret_hidden')}
              </Text>
            </div>
            <Button variant="default" onClick={() => setAsking(true)} data-testid="rotate-secret">
              {t('appx.rotate')}
            </Button>
          </Group>
        )}
      </Stack>
      <Modal opened={asking} onClose={() => setAsking(false)} title={t('appx.rotate_title')} centered>
        <Stack>
          <Text size="sm">{t('appx.rotate_text')}</Text>
          {problem && (
            <Alert color="coral" variant="light" role="alert">
              {problem}
            </Alert>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
              {t('app.cancel')}
            </Button>
            <Button color="coral.7" onClick={rotate} loading={busy} data-testid="rotate-confirm">
              {t('appx.rotate_yes')}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </section>
  );
}

/** Switching off is asked about, switching on is not. */
function Enabled({ app, save }: TabProps) {
  const { t } = useTexts();
  const [asking, setAsking] = useState(false);
  const { busy, refused, run } = useSaving();
  const set = async (enabled: boolean) => {
    await run(() => save({ enabled }));
    setAsking(false);
  };
  return (
    <section className={`card ${style.panel}`}>
      <Switch
        label={t('appx.enabled')}
        description={t('appx.enabled_help')}
        checked={app.enabled}
        disabled={busy}
        onChange={(e) => (e.currentTarget.checked ? void set(true) : setAsking(true))}
        data-testid="app-enabled"
      />
      {refused && (
        <Alert color="coral" variant="light" role="alert" mt="sm">
          {refused.text}
        </Alert>
      )}
      <Modal opened={asking} onClose={() => setAsking(false)} title={t('appx.disable_title', { name: app.name })} centered>
        <Text size="sm" mb="md">
          {t('appx.disable_text')}
        </Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
            {t('app.cancel')}
          </Button>
          <Button color="coral.7" onClick={() => set(false)} loading={busy} data-testid="disable-confirm">
            {t('appx.disable_yes')}
          </Button>
        </Group>
      </Modal>
    </section>
  );
}
