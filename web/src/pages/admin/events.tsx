import { ActionIcon, Stack, Text, TextInput } from '@mantine/core';
import { IconEye, IconEyeOff } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { useTexts } from '../../i18n/index.tsx';
import { CopyField } from '../../parts/copy.tsx';
import style from './admin.module.css';
import type { TabProps } from './app.tsx';
import { isAddress, SaveBar, sameSet, useSaving } from './save.tsx';
import { EventPicker } from './scopes.tsx';

export function Events({ app, save }: TabProps) {
  const { t } = useTexts();
  return (
    <Stack>
      <Subscription app={app} save={save} />
      <section className={`card ${style.panel}`}>
        <Stack>
          <Sealed label={t('appx.verification_token')} help={t('appx.verification_help')} value={app.verification_token} testId="verification-token" />
          <Sealed label={t('appx.encrypt_key')} help={t('appx.encrypt_help')} value={app.encrypt_key} testId="encrypt-key" />
        </Stack>
      </section>
    </Stack>
  );
}

function Subscription({ app, save }: TabProps) {
  const { t } = useTexts();
  const had = app.event_types ?? [];
  const [url, setURL] = useState(app.event_url ?? '');
  const [types, setTypes] = useState(had);
  const [bad, setBad] = useState('');
  const { busy, refused, run } = useSaving();
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const address = url.trim();
    const wrong = address !== '' && !isAddress(address);
    setBad(wrong ? t('appx.event_url_bad') : '');
    if (!wrong) void run(() => save({ event_url: address, event_types: types }));
  };
  const failed = refused?.error.code === 'challenge_failed';
  return (
    <form onSubmit={submit} noValidate className={`card ${style.panel}`}>
      <Stack>
        <TextInput
          label={t('appx.event_url')}
          description={t('appx.event_url_help')}
          type="url"
          placeholder="https://app.example/webhook"
          value={url}
          onChange={(e) => setURL(e.currentTarget.value)}
          error={bad || (failed && (refused.error.texts.en ? refused.text : t('appx.challenge_failed')))}
          classNames={{ input: 'mono' }}
          data-testid="event-url"
        />
        <div>
          <Text size="sm" fw={600}>
            {t('appx.event_types')}
          </Text>
          <Text size="xs" c="dimmed">
            {t('appx.event_types_help')}
          </Text>
        </div>
        <EventPicker value={types} onChange={setTypes} />
        <SaveBar
          busy={busy}
          refused={failed ? undefined : refused?.text}
          dirty={url.trim() !== (app.event_url ?? '') || !sameSet(types, had)}
          testId="save-events"
        />
      </Stack>
    </form>
  );
}

/** Sealed shows a secret only when asked to, so that it is not read over a shoulder or in a shared screen. */
function Sealed({ label, help, value, testId }: { label: string; help: string; value: string; testId: string }) {
  const { t } = useTexts();
  const [open, setOpen] = useState(false);
  if (!value) return <TextInput label={label} description={help} value="" placeholder={t('appx.no_key')} readOnly data-testid={testId} />;
  if (!open) {
    return (
      <TextInput
        label={label}
        description={help}
        value="••••••••••••••••"
        readOnly
        data-testid={testId}
        rightSection={
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t('appx.reveal', { what: label })}
            onClick={() => setOpen(true)}
            data-testid={`${testId}-reveal`}
          >
            <IconEye size={18} aria-hidden />
          </ActionIcon>
        }
      />
    );
  }
  return (
    <CopyField
      label={label}
      help={help}
      value={value}
      testId={testId}
      extra={
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('appx.hide', { what: label })} onClick={() => setOpen(false)}>
          <IconEyeOff size={18} aria-hidden />
        </ActionIcon>
      }
    />
  );
}
