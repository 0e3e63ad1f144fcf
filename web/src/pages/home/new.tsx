import { Alert, Button, Group, Modal, Stack, Switch, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { Link } from 'react-router';
import * as api from '../../api/calls.ts';
import { ApiError } from '../../api/client.ts';
import type { Reserve } from '../../api/types.ts';
import { errorText, useTexts } from '../../i18n/index.tsx';
import { CopyButton, CopyField } from '../../parts/copy.tsx';
import { joinPath } from './state.ts';

export function NewMeeting({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTexts();
  const [made, setMade] = useState<Reserve | null>(null);
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      onExitTransitionEnd={() => setMade(null)}
      title={t(made ? 'new.done_title' : 'new.title')}
      centered
      data-testid="new-meeting-dialog"
    >
      {made ? <Made reserve={made} /> : <Form onMade={setMade} onClose={onClose} />}
    </Modal>
  );
}

function Form({ onMade, onClose }: { onMade: (r: Reserve) => void; onClose: () => void }) {
  const texts = useTexts();
  const { t } = texts;
  const [topic, setTopic] = useState('');
  const [password, setPassword] = useState('');
  const [autoRecord, setAutoRecord] = useState(false);
  const [guests, setGuests] = useState(true);
  const [bad, setBad] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);

  const submit = async (e: FormEvent) => {
    e.preventDefault();
    const wrong: Record<string, string> = {};
    if (topic.trim() === '') wrong.topic = t('new.topic_needed');
    if (password !== '' && !/^\d{4,9}$/.test(password)) wrong.password = t('new.password_bad');
    setBad(wrong);
    if (Object.keys(wrong).length > 0) return;
    setBusy(true);
    try {
      onMade(await api.reserve({ topic: topic.trim(), auto_record: autoRecord, guests, ...(password ? { password } : {}) }));
    } catch (cause) {
      const error = cause instanceof ApiError ? cause : new ApiError(0, 'unexpected');
      const field = error.field === 'topic' || error.field === 'password' ? error.field : 'form';
      setBad({ [field]: errorText(error, texts) });
      setBusy(false);
    }
  };

  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {bad.form && (
          <Alert color="coral" variant="light" role="alert">
            {bad.form}
          </Alert>
        )}
        <TextInput
          label={t('new.topic')}
          placeholder={t('new.topic_placeholder')}
          value={topic}
          maxLength={100}
          onChange={(e) => setTopic(e.currentTarget.value)}
          error={bad.topic}
          data-autofocus
          data-testid="new-topic"
        />
        <Switch
          label={t('new.auto_record')}
          description={t('new.auto_record_help')}
          checked={autoRecord}
          onChange={(e) => setAutoRecord(e.currentTarget.checked)}
          data-testid="new-auto-record"
        />
        <Switch
          label={t('new.guests')}
          description={t('new.guests_help')}
          checked={guests}
          onChange={(e) => setGuests(e.currentTarget.checked)}
          data-testid="new-guests"
        />
        <TextInput
          label={
            <>
              {t('new.password')}{' '}
              <Text component="span" c="dimmed" size="sm" fw={400}>
                ({t('app.optional')})
              </Text>
            </>
          }
          description={t('new.password_help')}
          value={password}
          inputMode="numeric"
          autoComplete="off"
          maxLength={9}
          onChange={(e) => setPassword(e.currentTarget.value)}
          error={bad.password}
          data-testid="new-password"
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {t('app.cancel')}
          </Button>
          <Button type="submit" loading={busy} data-testid="new-submit">
            {t('new.submit')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Made({ reserve }: { reserve: Reserve }) {
  const { t } = useTexts();
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {t('new.done_text')}
      </Text>
      <CopyField label={t('new.link')} value={reserve.url} testId="new-link" />
      <Group justify="flex-end" gap="xs">
        <CopyButton text={reserve.url} label={t('new.copy_link')} testId="new-copy" />
        <Button component={Link} to={joinPath(reserve.meeting_no)} data-testid="new-open">
          {t('new.open')}
        </Button>
      </Group>
    </Stack>
  );
}
